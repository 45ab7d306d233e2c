{ ... }:
let
  inherit (builtins) attrNames concatMap elem filter listToAttrs map;
in
{
  /**
    The list of a function's results over an attribute set, in the order of its names.

    # Type
    mapAttrsToList :: (String -> a -> b) -> { String = a } -> [b]

    # Example
    mapAttrsToList (name: value: "${name}=${value}") { a = "1"; b = "2"; } => [ "a=1" "b=2" ]
  */
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);

  /**
    The attributes for which a predicate holds.

    # Type
    filterAttrs :: (String -> a -> Bool) -> { String = a } -> { String = a }

    # Example
    filterAttrs (name: value: value > 1) { a = 1; b = 2; } => { b = 2; }
  */
  filterAttrs = keep: set: listToAttrs (concatMap
    (name: if keep name set.${name} then [ { inherit name; value = set.${name}; } ] else [ ])
    (attrNames set));

  /**
    A list without its repetitions; the first of equal elements stays.

    # Type
    unique :: [a] -> [a]

    # Example
    unique [ 1 2 1 ] => [ 1 2 ]
  */
  unique = builtins.foldl'
    (seen: item: if elem item seen then seen else seen ++ [ item ])
    [ ];

  /**
    The elements of the first list that the second does not have.

    # Type
    subtract :: [a] -> [a] -> [a]

    # Example
    subtract [ 1 2 3 ] [ 2 ] => [ 1 3 ]
  */
  subtract = list: without: filter (item: !(elem item without)) list;
}
