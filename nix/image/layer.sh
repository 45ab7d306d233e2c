#!/bin/sh
# nix2container's description of one layer made from one tree.
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
printf %s "$graph" >graph.json
printf %s "$rewrites" >rewrites.json
printf %s "$perms" >perms.json
"$nix2container/bin/nix2container" layers-from-reproducible-storepaths "$out" graph.json \
    --max-layers 1 --rewrites rewrites.json --perms perms.json
