{ lib, ... }:
let
  cases = builtins.fromJSON (builtins.readFile ../../tests/cases/store_names.json);
in
{
  # The same cases are asked of slipway.supply.store.store_name.
  storeName.testSharedCases = {
    expr = map (pair: lib.deb.storeName (builtins.elemAt pair 0)) cases;
    expected = map (pair: builtins.elemAt pair 1) cases;
  };

  baseName.testPool = {
    expr = lib.deb.baseName "pool/main/b/bash/bash_5_amd64.deb";
    expected = "bash_5_amd64.deb";
  };

  dropWords.testFolders = {
    expr = lib.deb.dropWords [ "usr/share/man/**" "etc/issue*" ];
    expected = [ "usr/share/man" "etc/issue*" ];
  };
}
