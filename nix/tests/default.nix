/**
  Tests of nix/lib: module -> function -> test, in nix-unit's shape.

  `failures` holds the tests whose value is another than expected, `ids` names every test,
  `errorIds` those that expect an error (each is evaluated alone, by pytest, since a message can't
  be seen from inside Nix), `functions` names all functions, and `uncovered` those without a test.
*/
let
  inherit (builtins) attrNames concatMap filter hasAttr;

  lib = import ../lib;

  modules = [ "attrs" "deb" "layers" "lock" "oci" "sources" "toml" ];

  tree = builtins.listToAttrs (map
    (name: { inherit name; value = import (./. + "/${name}.nix") { inherit lib; }; })
    modules);

  tests = concatMap
    (module: concatMap
      (function: map
        (test: { id = "${module}.${function}.${test}"; value = tree.${module}.${function}.${test}; })
        (attrNames tree.${module}.${function}))
      (attrNames tree.${module}))
    modules;

  isError = test: hasAttr "expectedError" test.value;
in
{
  ids = map (test: test.id) (filter (test: !isError test) tests);

  errorIds = map (test: { inherit (test) id; expected = test.value.expectedError; }) (filter isError tests);

  failures = map (test: { inherit (test) id; got = test.value.expr; want = test.value.expected; })
    (filter (test: !isError test && test.value.expr != test.value.expected) tests);

  /** The value of one test, to see its error. */
  exprs = builtins.listToAttrs (map (test: { name = test.id; value = test.value.expr; }) tests);

  functions = concatMap
    (module: map (function: "${module}.${function}") (attrNames lib.${module}))
    (attrNames lib);

  uncovered = concatMap
    (module: map (function: "${module}.${function}")
      (filter (function: !hasAttr function tree.${module}) (attrNames lib.${module})))
    modules;

  modulesWithoutTests = filter (module: !builtins.elem module modules) (attrNames lib);
}
