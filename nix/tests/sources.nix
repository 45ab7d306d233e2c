{ lib, ... }:
let
  inherit (lib.sources) isLeftover keep;

  # The same cases are asked of slipway.supply.sources.is_leftover.
  cases = builtins.fromJSON (builtins.readFile ../../tests/cases/leftovers.json);
  kept = keep { root = "/a b/r+"; leftOut = [ "src/.env" "src/local" ]; exclude = [ "web" ]; };
in
{
  isLeftover = {
    testYes = { expr = builtins.filter isLeftover cases.leftover; expected = cases.leftover; };
    testNo = { expr = builtins.filter isLeftover cases.source; expected = [ ]; };
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
