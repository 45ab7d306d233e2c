#!/bin/sh
# Lay each folder of $sources at the place of the same number in $targets.
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
mkdir "$out"
# shellcheck disable=SC2086  # one word a target
set -- $targets
for source in $sources; do
    mkdir -p "$out$1"
    cp -r "$source/." "$out$1/"
    chmod -R u+w "$out"
    shift
done
