{ lib, ... }:
let
  inherit (lib.sources) isLeftover keep;

  kept = keep { root = "/a b/r+"; leftOut = [ "src/.env" "src/local" ]; exclude = [ "web" ]; };
in
{
  isLeftover = {
    testYes = {
      expr = builtins.filter (name: !isLeftover name)
        [ "__pycache__" "a.pyc" "a.py~" ".a.py.swp" ".#a.py" "#a.py#" ".git" ".DS_Store" ];
      expected = [ ];
    };
    testNo = {
      expr = builtins.filter isLeftover [ "a.py" ".env" ".hidden" "#a" "a.swp" "swap" ".gitignore" ];
      expected = [ ];
    };
  };

  keep = {
    testSource = { expr = kept "/a b/r+/src/a.py" "regular"; expected = true; };
    testIgnored = { expr = kept "/a b/r+/src/.env" "regular"; expected = false; };
    testBelowIgnored = { expr = kept "/a b/r+/src/local/a.py" "regular"; expected = false; };
    testSameStart = { expr = kept "/a b/r+/src/local.py" "regular"; expected = true; };
    testElsewhere = { expr = kept "/a b/r+/deploy/src/.env" "regular"; expected = true; };
    testExcluded = { expr = kept "/a b/r+/src/web" "directory"; expected = false; };
    testLeftover = { expr = kept "/a b/r+/src/a.pyc" "regular"; expected = false; };
  };
}
