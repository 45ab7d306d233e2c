/**
  The flake's outputs; also what `./inv` builds, by this file's path and without the flake.

  Every source is taken by name and by its own content, so that store paths depend neither on where
  the checkout lies nor on how it was called: a flake, a path, a folder of another name.
*/
{ # The checkout.
  root ? ../.
, # JSON of a list: the paths below `root` that git ignores. A flake's root comes without them.
  leftOut ? "[]"
}:
let
  system = "x86_64-linux";

  lib = import ./lib;

  inherit (builtins) readFile;

  config = lib.toml.parse (readFile (root + "/slipway.toml"));

  asked = lib.lock.askedOf config;

  locks = {
    debian = lib.lock.current "debian" asked.debian (lib.lock.load 2 ./locks/debian.json);
    python = lib.lock.current "python" asked.python (lib.lock.load 2 ./locks/python.json);
    go = lib.lock.currentGo (readFile ./go/go.mod) (readFile ./go/go.sum) (lib.lock.load 2 ./locks/go.json);
  };

  stage0 = import ./stage0 { inherit system; inherit (lib) deb; lock = locks.debian; };

  debian = import ./debian {
    inherit stage0;
    inherit (lib) deb;
    inherit (config.debian) drop;
    dropFrom = config.debian.drop-from;
  };

  sourceOf = name: path: exclude: builtins.path {
    inherit name;
    path = root + "/${path}";
    filter = lib.sources.keep {
      root = toString root;
      leftOut = builtins.fromJSON leftOut;
      inherit exclude;
    };
  };

  groups = { groupOf = lib.lock.groupOf locks.debian; inherit (lib.lock) wheelsOf; };

  go = import ./go {
    inherit stage0;
    goLock = locks.go;
    source = ./go;
  };

  python = import ./python {
    inherit stage0 debian;
    inherit (lib) deb;
    dropFrom = config.python.drop-from;
    lock = groups;
    pythonLock = locks.python;
    inherit (config.python) version;
  };

  built = import ./image { inherit lib stage0 debian python go config locks sourceOf; };

  roles = builtins.attrNames built.images;

  farm = name: entries: stage0.run {
    inherit name;
    script = ./farm.sh;
    inputs = {
      names = builtins.attrNames entries;
      paths = map (entry: entries.${entry}) (builtins.attrNames entries);
    };
  };

  images = builtins.listToAttrs (map
    (role: { name = "${role}-image"; value = built.images.${role}.json; })
    roles);
in
{
  packages.${system} = images // {
    images = farm "images" images;
    nix2container = go.nix2container;
    actionlint = go.actionlint;
    probe = go.probe;
    acl = go.acl;
    door = go.door;
    edge = go.edge;
    certificate = go.certificate;
    compose-model = go.compose-model;
    rehearsal-host = import ./rehearsal { inherit stage0 debian; lock = groups; };
  };

  /** Every layer's tree and description, for rebuilding each: `ROLE-TITLE` and `ROLE-TITLE-json`. */
  layers.${system} = builtins.listToAttrs (builtins.concatMap
    (role: builtins.concatMap
      (layer: [
        { name = "${role}-${layer.title}"; value = layer.tree; }
        { name = "${role}-${layer.title}-json"; value = layer.json; }
      ])
      built.images.${role}.layers)
    roles);

  checks.${system} = builtins.listToAttrs (map
    (role: { name = "elf-${role}"; value = built.images.${role}.elf; })
    roles);

  inherit lib;
}
