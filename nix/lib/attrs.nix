{ ... }:
let
  inherit (builtins) attrNames elem filter map;
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
    The elements of the first list that the second does not have.

    # Type
    subtract :: [a] -> [a] -> [a]

    # Example
    subtract [ 1 2 3 ] [ 2 ] => [ 1 3 ]
  */
  subtract = list: without: filter (item: !(elem item without)) list;
}
