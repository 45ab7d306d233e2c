# nix2container's description of an image; the check of its libraries has to have passed.
set -eu
# shellcheck disable=SC2154  # all names come from the derivation
[ -s "$elf" ]
printf %s "$imageConfig" >config.json
# shellcheck disable=SC2086  # one word a layer
"$nix2container/bin/nix2container" image "$out" config.json $layers
