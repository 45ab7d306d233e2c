/** The rehearsal host's file system: Debian packages merged into one tree. */
{ stage0, debian, lock }:
debian.merge "rehearsal-host" (map debian.unpack (lock.groupOf "rehearsal"))
