#!/bin/sh
# Run the Python script $program with Debian's Python. There is no /lib64 in the sandbox, so the
# loader is called by name; a child process has to be started the same way (the script can fork).
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
libraries=$runtime/usr/lib/x86_64-linux-gnu
export PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PYTHONHOME="$runtime/usr"
exec "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" \
    "$runtime/usr/bin/python$version" -S -P "$program"
