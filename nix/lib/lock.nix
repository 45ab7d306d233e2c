{ attrs, ... }:
let
  inherit (builtins) attrNames attrValues concatStringsSep elem filter fromJSON hasAttr hashString listToAttrs map readFile sort;

  check = known: name: value:
    if (value.format or null) == known then value
    else throw "lock.load: ${name} has format ${builtins.toJSON (value.format or null)}, this version knows ${toString known}; run ./inv lock";

  normal = table:
    attrs.filterAttrs (_: names: names != [ ])
      (builtins.mapAttrs (_: names: sort builtins.lessThan (attrs.unique names)) table);

  prefixed = prefix: f: table: listToAttrs
    (map (name: { name = "${prefix}.${name}"; value = f table.${name}; }) (attrNames table));

  debianOf = table: table.debian or [ ];

  names = list: if list == [ ] then "nothing" else concatStringsSep ", " list;
in
rec {
  /**
    A lock file as an attribute set. Any format but the known one is refused.

    # Type
    load :: Int -> Path -> AttrSet
  */
  load = known: path: check known (baseNameOf path) (fromJSON (readFile path));

  /**
    What slipway.toml asks of the locks: subject (`image.edge`, `set.app`, `release` …) to strings,
    sorted, each once. The Python side (`slipway.supply.asked`) is tested on the same cases.

    # Type
    askedOf :: AttrSet -> { debian :: { String = [String] }, python :: { String = [String] } }
  */
  askedOf = config: {
    debian = normal ({
      architecture = [ config.debian.architecture ];
      release = [ config.debian.release ];
      rehearsal = debianOf (config.rehearsal or { });
    }
    // prefixed "tool" debianOf (config.tool or { })
    // prefixed "layer" (layer: layer) config.layers
    // prefixed "image" debianOf config.image);

    python = normal ({
      architecture = [ config.debian.architecture ];
      version = [ config.python.version ];
      samples = attrValues (config.samples or { });
    }
    // prefixed "set" (set: set) (config.python.sets or { }));
  };

  /**
    A lock, unless it was asked something else than slipway.toml says now. The error names every
    difference and the command that locks anew.

    # Type
    current :: String -> { String = [String] } -> AttrSet -> AttrSet
  */
  current = kind: asked: lock:
    let
      then_ = lock.asked or { };
      subjects = filter (subject: then_.${subject} or [ ] != asked.${subject} or [ ])
        (attrNames (then_ // asked));
      tell = subject: "${subject} was locked for ${names (then_.${subject} or [ ])}, now it asks for ${names (asked.${subject} or [ ])}";
    in
    if subjects == [ ] then lock
    else throw "lock.current: slipway.toml changed after ${kind}.json was locked: ${concatStringsSep "; " (map tell subjects)}; run ./inv lock --only ${kind}";

  /**
    The lock of the Go modules, unless it was made for another `go.mod` or `go.sum`, given as texts.

    # Type
    currentGo :: String -> String -> AttrSet -> AttrSet
  */
  currentGo = mod: sum: lock:
    if lock.modules_sha256 == hashString "sha256" (mod + sum) then lock
    else throw "lock.currentGo: nix/go/go.mod or go.sum changed after go.json was locked; run ./inv lock --only go";

  /**
    The lock entries of a group, such as `layer.base` or `image.edge`. A group that the lock does not
    have is an error: it was declared after the lock was made.

    # Type
    groupOf :: AttrSet -> String -> [AttrSet]
  */
  groupOf = lock: group:
    map
      (name:
        if hasAttr name lock.packages then lock.packages.${name}
        else throw "lock.groupOf: ${group} names ${name}, which the lock lacks; run ./inv lock")
      (lock.groups.${group} or (throw "lock.groupOf: the lock has no packages for ${group}; run ./inv lock"));

  /**
    The wheels of several Python sets together, each once, sorted by name.

    # Type
    wheelsOf :: AttrSet -> [String] -> [AttrSet]
  */
  wheelsOf = lock: sets:
    let
      names = attrNames (listToAttrs (map (name: { inherit name; value = null; })
        (builtins.concatMap
          (set: lock.sets.${set} or (throw "lock.wheelsOf: there is no Python set ${set}; run ./inv lock"))
          sets)));
    in
    map (name: lock.wheels.${name}) names;
}
