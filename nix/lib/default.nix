/**
  The pure functions, by module. Each file's argument set names the modules it uses.

  Only builtins that Nix 2.8 has are used anywhere under nix/.
*/
let
  fix = f: let self = f self; in self;

  supported = builtins.compareVersions builtins.nixVersion "2.8" >= 0;
in
if !supported then
  throw "Nix ${builtins.nixVersion} is too old: 2.8 or newer is needed"
else
  fix (self: builtins.mapAttrs (_: path: import path self) {
    attrs = ./attrs.nix;
    deb = ./deb.nix;
    lock = ./lock.nix;
    layers = ./layers.nix;
    oci = ./oci.nix;
    sources = ./sources.nix;
    toml = ./toml.nix;
  })
