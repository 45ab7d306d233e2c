#!/bin/sh
# One folder $out with a link for each of $names to the path of the same number in $paths.
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
mkdir "$out"
# shellcheck disable=SC2086  # one word a name
set -- $names
for path in $paths; do
    ln -s "$path" "$out/$1"
    shift
done
