/** Debian's Python inside the sandbox, wheels as trees, and byte code. */
{ stage0, debian, deb, lock, pythonLock, version, dropFrom }:
let
  inherit (builtins) head map;

  # What Python needs to run while building: no byte code, no files of ours.
  runtime = debian.merge "python-runtime" (map debian.unpack
    (builtins.concatMap (layer: lock.groupOf "layer.${layer}") [ "libc" "crypto" "python" ]));

  installer = stage0.wheel (head (lock.wheelsOf pythonLock [ "build" ]));

  site = "/app/lib/python${version}/site-packages";

  /**
    Run a script of ours with Debian's Python.

    # Type
    run :: { name, script, inputs?, sealed? } -> Derivation
  */
  run = { name, script, inputs ? { }, sealed ? false }: stage0.run {
    inherit name sealed;
    script = ./run.sh;
    inputs = { inherit runtime version; program = script; compiler = ./compile.py; } // inputs;
  };
in
{
  inherit run site;

  /**
    A wheel installed by pypa/installer, with byte code.

    # Type
    install :: Entry -> Derivation
  */
  install = entry: run {
    name = "wheel-${entry.name}-${entry.version}";
    script = ./install.py;
    inputs = {
      wheel = stage0.wheel entry;
      wheelName = entry.file_name;
      inherit installer site;
      drop = builtins.concatStringsSep "\n" (deb.dropWords (dropFrom.${entry.name} or [ ]));
    };
    sealed = true;
  };
}
