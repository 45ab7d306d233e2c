#!/bin/sh
# nix2container's description of an image; the check of its libraries has to have passed.
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
[ -s "$elf" ]
printf %s "$imageConfig" >config.json
# shellcheck disable=SC2086  # one word a layer
"$nix2container/bin/nix2container" image "$out" config.json $layers
