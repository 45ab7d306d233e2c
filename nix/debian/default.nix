/** Debian packages as trees: one derivation a package, and several merged into one. */
{ stage0, deb, drop, dropFrom }:
rec {
  /**
    A package unpacked: usr-merged, without what slipway.toml drops, with the entry under
    var/lib/dpkg/status.d that scanners read. No maintainer script runs.

    # Type
    unpack :: Entry -> Derivation
  */
  unpack = entry: stage0.run {
    name = "deb-${deb.storeName entry.name}-${deb.storeName entry.version}";
    script = ./unpack.sh;
    inputs = {
      package = stage0.package entry;
      packageName = entry.name;
      drop = builtins.concatStringsSep "\n" (deb.dropWords (drop ++ (dropFrom.${entry.name} or [ ])));
    };
    sealed = true;
  };

  /**
    Several trees merged into one. Two trees that bring the same file are an error naming both.

    # Type
    merge :: String -> [Derivation] -> Derivation
  */
  merge = name: trees: stage0.run {
    inherit name;
    script = ./merge.sh;
    inputs = { inherit trees; };
    sealed = true;
  };
}
