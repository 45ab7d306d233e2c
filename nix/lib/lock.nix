{ ... }:
let
  inherit (builtins) fromJSON hasAttr map readFile;

  known = 1;

  check = name: value:
    if (value.format or null) == known then value
    else throw "lock.load: ${name} has format ${builtins.toJSON (value.format or null)}, this version knows ${toString known}; run ./inv lock";
in
{
  /**
    A lock file as an attribute set. An unknown format is refused.

    # Type
    load :: Path -> AttrSet
  */
  load = path: check (baseNameOf path) (fromJSON (readFile path));

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
      names = builtins.attrNames (builtins.listToAttrs (map (name: { inherit name; value = null; })
        (builtins.concatMap
          (set: lock.sets.${set} or (throw "lock.wheelsOf: there is no Python set ${set}; run ./inv lock"))
          sets)));
    in
    map (name: lock.wheels.${name}) names;
}
