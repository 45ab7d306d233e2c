{ ... }:
let
  inherit (builtins) fromJSON fromTOML stringLength substring;

  # Nix's strings know no escape for it.
  byteOrderMark = fromJSON "\"\\ufeff\"";

  size = stringLength byteOrderMark;
in
{
  /**
    A TOML text as an attribute set; the byte order mark that some editors begin a file with is no
    part of it.

    # Type
    parse :: String -> AttrSet

    # Example
    parse "a = 1" => { a = 1; }
  */
  parse = text: fromTOML (
    if substring 0 size text == byteOrderMark then substring size (stringLength text) text else text
  );
}
