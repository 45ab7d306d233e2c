#!/bin/sh
# Links from every applet's name to busybox.
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
"$busybox" mkdir -p "$out/bin"
for applet in $("$busybox" --list); do
    "$busybox" ln -s "$busybox" "$out/bin/$applet"
done
