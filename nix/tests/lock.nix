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

  # The same cases are asked of slipway.supply.asked.
  cases = builtins.fromJSON (builtins.readFile ../../tests/cases/asked.json);

  asked = { release = [ "trixie" ]; "image.edge" = [ "curl" "haproxy" ]; };
in
{
  load = {
    testKnown = { expr = lib.lock.load 1 ./known-format.json; expected = { format = 1; }; };
    testUnknownFormat = {
      expr = lib.lock.load 1 ./unknown-format.json;
      expectedError = "has format 2, this version knows 1; run ./inv lock";
    };
    testNoFormat = {
      expr = lib.lock.load 1 ./no-format.json;
      expectedError = "no-format.json has format null";
    };
  };

  askedOf.testSharedCases = {
    expr = map (case: lib.lock.askedOf (lib.toml.parse case.toml)) cases;
    expected = map (case: { inherit (case) debian python; }) cases;
  };

  current = {
    testSame = {
      expr = lib.lock.current "debian" asked { inherit asked; packages = 1; };
      expected = { inherit asked; packages = 1; };
    };
    testMore = {
      expr = lib.lock.current "debian" asked { asked = asked // { "image.edge" = [ "haproxy" ]; }; };
      expectedError = "slipway.toml changed after debian.json was locked: image.edge was locked for haproxy, now it asks for curl, haproxy; run ./inv lock --only debian";
    };
    testAllAtOnce = {
      expr = lib.lock.current "python" { "set.app" = [ "a" ]; } { asked."set.old" = [ "b" ]; };
      expectedError = "set.app was locked for nothing, now it asks for a; set.old was locked for b, now it asks for nothing; run ./inv lock --only python";
    };
    testNothingKept = {
      expr = lib.lock.current "debian" asked { };
      expectedError = "release was locked for nothing";
    };
  };

  currentGo = {
    testSame = {
      # `printf abcd | sha256sum`
      expr = lib.lock.currentGo "ab" "cd" {
        modules_sha256 = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589";
      };
      expected.modules_sha256 = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589";
    };
    testOther = {
      expr = lib.lock.currentGo "ab" "ce" {
        modules_sha256 = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589";
      };
      expectedError = "nix/go/go.mod or go.sum changed after go.json was locked; run ./inv lock --only go";
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
