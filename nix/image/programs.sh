#!/bin/sh
# Lay our own $programs into one folder.
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
mkdir -p "$out/usr/bin"
for program in $programs; do
    cp "$program"/bin/* "$out/usr/bin/"
done
