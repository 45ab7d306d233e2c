{ lib, ... }:
{
  mapAttrsToList.testOrder = {
    expr = lib.attrs.mapAttrsToList (name: value: "${name}=${value}") { b = "2"; a = "1"; };
    expected = [ "a=1" "b=2" ];
  };

  filterAttrs.testKeeps = {
    expr = lib.attrs.filterAttrs (name: value: value > 1) { a = 1; b = 2; };
    expected = { b = 2; };
  };

  unique.testFirstStays = {
    expr = lib.attrs.unique [ 1 2 1 3 2 ];
    expected = [ 1 2 3 ];
  };

  subtract.testRemoves = {
    expr = lib.attrs.subtract [ 1 2 3 ] [ 2 4 ];
    expected = [ 1 3 ];
  };
}
