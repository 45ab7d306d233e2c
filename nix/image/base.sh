#!/bin/sh
# What maintainer scripts would have made for every image: users, one certificate bundle, the links
# of the merged /usr, empty folders, and the health probe.
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
mkdir -p "$out/etc/ssl/certs" "$out/usr/bin"
cp -RP "$files/." "$out/"
chmod -R u+w "$out"
find "$certificates/usr/share/ca-certificates" -name '*.crt' | sort | while read -r file; do
    cat "$file"
done >"$out/etc/ssl/certs/ca-certificates.crt"
[ "$(grep -c 'BEGIN CERTIFICATE' "$out/etc/ssl/certs/ca-certificates.crt")" -gt 50 ]
cp "$probe/bin/probe" "$out/usr/bin/probe"
for top in bin sbin lib lib64; do
    ln -s "usr/$top" "$out/$top"
done
cd "$out"
mkdir -p dev proc sys run root tmp home mnt var/tmp var/lib var/log usr/sbin usr/lib usr/lib64
ln -s /run var/run
