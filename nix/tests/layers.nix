{ lib, ... }:
let
  entry = name: { inherit name; };

  locks = {
    debian = {
      packages = builtins.listToAttrs (map (name: { inherit name; value = entry name; })
        [ "base-files" "libc6" "libssl3t64" "python3.13-minimal" "haproxy" ]);
      groups = {
        "layer.base" = [ "base-files" ];
        "layer.libc" = [ "libc6" ];
        "layer.crypto" = [ "libssl3t64" ];
        "layer.python" = [ "python3.13-minimal" ];
        "image.edge" = [ "haproxy" ];
        "image.crowded" = [ "haproxy" ];
      };
    };
    python = {
      wheels = {
        big = { name = "big"; size = 900; };
        small = { name = "small"; size = 10; };
        film = { name = "film"; size = 5000; };
      };
      sets = { app = [ "big" "small" ]; media = [ "film" ]; };
    };
  };

  planOf = image: map (layer: layer.title) (lib.layers.plan {
    inherit locks;
    heavyBytes = 500;
    image = lib.oci.withDefaults "edge" ({ entrypoint = [ "/bin/x" ]; } // image);
  });
in
{
  plan = {
    testNoPython = {
      expr = planOf { debian = [ "haproxy" ]; };
      expected = [ "base" "libc" "crypto" "packages" ];
    };

    testOwnProgramsComeBeforeFiles = {
      expr = planOf { debian = [ "haproxy" ]; programs = [ "door" ]; files = { "/" = "x"; }; };
      expected = [ "base" "libc" "crypto" "packages" "programs" "files" ];
    };

    testABareImageSharesNothing = {
      expr = planOf { bare = true; programs = [ "door" ]; };
      expected = [ "programs" ];
    };

    testPythonSharesTheChain = {
      expr = (lib.layers.plan {
        inherit locks;
        heavyBytes = 500;
        image = lib.oci.withDefaults "worker" { entrypoint = [ "/bin/x" ]; python = [ "app" "media" ]; };
      });
      expected = [
        { title = "base"; kind = "base"; packages = [ { name = "base-files"; } ]; }
        { title = "libc"; packages = [ { name = "libc6"; } ]; }
        { title = "crypto"; packages = [ { name = "libssl3t64"; } ]; }
        { title = "python"; kind = "python"; packages = [ { name = "python3.13-minimal"; } ]; }
        { title = "wheels-heavy"; wheels = [ { name = "big"; size = 900; } ]; }
        { title = "wheels"; wheels = [ { name = "small"; size = 10; } ]; }
        { title = "wheels-more"; packages = [ ]; wheels = [ { name = "film"; size = 5000; } ]; }
        { title = "application"; kind = "application"; }
      ];
    };

    testOwnPackagesOfPythonRoles = {
      expr = map (layer: layer.title) (builtins.filter (layer: (layer.packages or [ ]) == [ { name = "haproxy"; } ])
        (lib.layers.plan {
          inherit locks;
          heavyBytes = 500;
          image = lib.oci.withDefaults "edge" {
            entrypoint = [ "/bin/x" ];
            debian = [ "haproxy" ];
            python = [ "app" ];
          };
        }));
      expected = [ "wheels-more" ];
    };

    testFilesComeLast = {
      expr = planOf { debian = [ "haproxy" ]; files = { "/" = "deploy/images/edge"; }; };
      expected = [ "base" "libc" "crypto" "packages" "files" ];
    };

    testNineAreTooMany = {
      expr = lib.layers.plan {
        inherit locks;
        heavyBytes = 500;
        image = lib.oci.withDefaults "crowded" {
          entrypoint = [ "/bin/x" ];
          debian = [ "haproxy" ];
          python = [ "app" "media" ];
          files = { "/" = "x"; };
        };
      };
      expectedError = "crowded would have 9 layers, eight at the most";
    };
  };
}
