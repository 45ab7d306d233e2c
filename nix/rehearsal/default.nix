/** The rehearsal host's file system: Debian packages merged into one tree. */
{ stage0, debian, lock }:
let
  links = stage0.run { name = "merged-usr-links"; script = ./links.sh; sealed = true; };
in
debian.merge "rehearsal-host" ([ links ] ++ map debian.unpack (lock.groupOf "rehearsal"))
