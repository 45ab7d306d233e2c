{ lib, ... }:
let
  debian = {
    format = 1;
    packages.bash = { name = "bash"; };
    groups = { "image.edge" = [ "bash" ]; "image.broken" = [ "zsh" ]; };
  };

  python = {
    wheels = { a = { name = "a"; }; b = { name = "b"; }; c = { name = "c"; }; };
    sets = { app = [ "b" "a" ]; media = [ "c" "a" ]; };
  };
in
{
  load = {
    testKnown = { expr = lib.lock.load ./known-format.json; expected = { format = 1; }; };
    testUnknownFormat = {
      expr = lib.lock.load ./unknown-format.json;
      expectedError = "has format 2, this version knows 1; run ./inv lock";
    };
    testNoFormat = {
      expr = lib.lock.load ./no-format.json;
      expectedError = "no-format.json has format null";
    };
  };

  groupOf = {
    testEntries = { expr = lib.lock.groupOf debian "image.edge"; expected = [ { name = "bash"; } ]; };
    testNoGroup = {
      expr = lib.lock.groupOf debian "image.api";
      expectedError = "the lock has no packages for image.api; run ./inv lock";
    };
    testAbsentPackage = {
      expr = lib.lock.groupOf debian "image.broken";
      expectedError = "image.broken names zsh, which the lock lacks; run ./inv lock";
    };
  };

  wheelsOf = {
    testUnion = {
      expr = map (wheel: wheel.name) (lib.lock.wheelsOf python [ "app" "media" ]);
      expected = [ "a" "b" "c" ];
    };
    testUnknownSet = {
      expr = lib.lock.wheelsOf python [ "games" ];
      expectedError = "there is no Python set games; run ./inv lock";
    };
  };
}
