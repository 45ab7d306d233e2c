{ ... }:
let
  inherit (builtins) any elem match stringLength substring;

  startsWith = start: text: substring 0 (stringLength start) text == start;
in
rec {
  /**
    Whether a file of that name is left by a program or an editor and is part of no source.

    # Type
    isLeftover :: String -> Bool

    # Example
    isLeftover "__pycache__" => true
  */
  isLeftover = name:
    elem name [ "__pycache__" ".git" ".DS_Store" ]
    || any (form: match form name != null)
      [ ".*[.]pyc" ".*~" "[.].*[.]sw[a-p]" "[.]#.*" "#.*#" ];

  /**
    The filter of `builtins.path` for a part of the checkout: leftovers stay out, and so does what
    git ignores.

    # Type
    keep :: { root, leftOut, exclude? } -> String -> String -> Bool

    # Example
    keep { root = "/r"; leftOut = [ "src/.env" ]; } "/r/src/.env" "regular" => false
  */
  keep =
    { # The checkout, as text.
      root
    , # Paths below it, without a slash at their end; what lies below them stays out with them.
      leftOut
    , # Names of files and folders that this part does without.
      exclude ? [ ]
    }: path: type:
    !(isLeftover (baseNameOf path))
    && !(elem (baseNameOf path) exclude)
    && !(any (out: path == "${root}/${out}" || startsWith "${root}/${out}/" path) leftOut);
}
