{ ... }:
let
  inherit (builtins) concatStringsSep elemAt genList map match replaceStrings stringLength substring;

  decodeEscapes = text:
    replaceStrings [ "%3a" "%3A" "%7e" "%7E" "%2b" "%2B" ] [ ":" ":" "~" "~" "+" "+" ] text;

  legal = char: match "[0-9A-Za-z+._?=-]" char != null;

  characters = text: genList (i: substring i 1 text) (stringLength text);

  stripDots = text:
    if stringLength text > 0 && substring 0 1 text == "."
    then stripDots (substring 1 (stringLength text) text)
    else text;
in
rec {
  /**
    A legal store name for the file name of a package or wheel.

    Escapes are decoded first and every character that Nix refuses becomes `_`. The Python side
    (`slipway.supply.store.store_name`) is tested on the same cases.

    # Type
    storeName :: String -> String

    # Example
    storeName "a_1%3a1.0~rc1_amd64.deb" => "a_1_1.0_rc1_amd64.deb"
  */
  storeName = fileName:
    let
      plain = decodeEscapes fileName;
      name = stripDots (concatStringsSep "" (map (c: if legal c then c else "_") (characters plain)));
    in
    if name == "" then "_" else name;

  /**
    The file name at the end of a pool path.

    # Type
    baseName :: String -> String

    # Example
    baseName "pool/main/b/bash/bash_5_amd64.deb" => "bash_5_amd64.deb"
  */
  baseName = path: baseNameOf path;

  /**
    The shell words that remove what a package must not bring, from globs of slipway.toml.

    A glob that ends with two stars takes the folder before them; no other use of two stars is
    allowed there.

    # Type
    dropWords :: [String] -> [String]

    # Example
    dropWords [ "usr/share/man/**" "etc/issue*" ] => [ "usr/share/man" "etc/issue*" ]
  */
  dropWords = map (glob:
    let found = match "(.*)/[*][*]" glob;
    in if found == null then glob else elemAt found 0);
}
