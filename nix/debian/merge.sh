#!/bin/sh
# Merge the folders $trees into $out; a file that two of them bring is an error.
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
mkdir "$out"
for tree in $trees; do
    (cd "$tree" && find . ! -type d) >files
    while read -r file; do
        if [ -e "$out/$file" ] || [ -L "$out/$file" ]; then
            echo "$tree and a tree before it both bring $file" >&2
            exit 1
        fi
    done <files
    cp -RP "$tree/." "$out/"
    chmod -R u+w "$out"
done
