#!/bin/sh
# The links of the merged /usr that Debian's installer makes.
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
mkdir "$out"
for top in bin sbin lib lib64; do
    ln -s "usr/$top" "$out/$top"
done
