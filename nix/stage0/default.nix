/**
  The bottom of everything: a static busybox from the store, and a way to run shell scripts with it.

  The sandbox of some Nix installations has no /bin/sh, so builders are busybox itself. A script is
  a file; its inputs are environment variables.
*/
{ system, deb, lock }:
let
  hint = "is not in the Nix store: run ./inv fetch";
in
rec {
  /**
    The store path of a locked input that `./inv fetch` added. Nix never downloads it: its builder
    only says what is missing.

    # Type
    input :: { name, sha256, recursive? } -> Derivation
  */
  input = { name, sha256, recursive ? false }: derivation {
    inherit name system;
    builder = "builtin:fetchurl";
    url = "file:///${name} ${hint}";
    outputHash = sha256;
    outputHashAlgo = "sha256";
    outputHashMode = if recursive then "recursive" else "flat";
    unpack = false;
    executable = recursive;
    preferLocalBuild = true;
  };

  /** The static busybox: `bin/busybox` and nothing else. */
  busybox = input { name = "stage0"; sha256 = lock.stage0_sha256; recursive = true; };

  /** All of busybox's programs by name, for PATH. */
  programs = derivation {
    name = "stage0-programs";
    inherit system;
    builder = "${busybox}/bin/busybox";
    args = [ "sh" ./programs.sh ];
    busybox = "${busybox}/bin/busybox";
  };

  /**
    Run a shell script with busybox.

    # Type
    run :: { name, script, inputs?, sealed? } -> Derivation
  */
  run =
    { # Name of the derivation.
      name
    , # The script, a path.
      script
    , # Environment variables of the script.
      inputs ? { }
    , # Whether the output may mention no store path at all; what goes into images may not.
      sealed ? false
    }: derivation ({
      inherit name system;
      builder = "${busybox}/bin/busybox";
      args = [ "sh" "-eu" script ];
      PATH = "${programs}/bin";
      LC_ALL = "C";
    } // (if sealed then { allowedReferences = [ ]; } else { }) // inputs);

  /** The `.deb` of a lock entry. */
  package = entry: input {
    name = deb.storeName (deb.baseName entry.path);
    inherit (entry) sha256;
  };

  /** The wheel of a lock entry. */
  wheel = entry: input {
    name = deb.storeName entry.file_name;
    inherit (entry) sha256;
  };
}
