{ lib, ... }:
{
  mapAttrsToList.testOrder = {
    expr = lib.attrs.mapAttrsToList (name: value: "${name}=${value}") { b = "2"; a = "1"; };
    expected = [ "a=1" "b=2" ];
  };

  subtract.testRemoves = {
    expr = lib.attrs.subtract [ 1 2 3 ] [ 2 4 ];
    expected = [ 1 3 ];
  };
}
