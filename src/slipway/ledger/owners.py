"""How what is written gets an owner that the login user can't give: by TrueNAS. Shell, and Python.

A service reads its secrets as its own user. Whoever isn't root may give nobody a file, so in mode
``app-only`` the middleware does (``filesystem.chown``, a job; role ``FILESYSTEM_ATTRS_WRITE``). The
file's group is the login user's, who has to read it again: to derive a secret of it, or to show it.
"""

from __future__ import annotations

# The folders just made go again: the next deploy would leave them as they are, without an owner.
_FORGO = """made=
forgo() {
    IFS=$newline
    set -f
    for path in $made; do rmdir -- "$path" 2>/dev/null || :; done
    exit 1
}
"""

#: ``given OWNER PATH KIND`` gives an owner, - for none; ``owned`` when all of a batch were named;
#: ``forgo`` ends it when one of them failed for a folder.
BY_ROOT = f"""{_FORGO}given() {{ [ "$1" = - ] || chown -- "$1:$1" "$2"; }}
owned() {{ :; }}
"""

#: Reads lines of kind, user id and absolute path; has no single quote.
PROGRAM = """
import os, sys
from truenas_api_client import Client
path = ""
try:
    with Client() as client:
        for line in sys.stdin.read().splitlines():
            kind, owner, path = line.split(" ", 2)
            group = int(owner) if kind == "directory" else os.getgid()
            given = {"path": path, "uid": int(owner), "gid": group}
            client.call("filesystem.chown", given, job=True)
except Exception as error:
    sys.exit(f"TrueNAS did not change the owner of {path}: {error}")
"""

BY_NAS = f"""{_FORGO}owners=
given() {{
    [ "$1" != - ] || return 0
    case $2 in /*) there=$2 ;; *) there=$folder/$2 ;; esac
    owners="$owners$3 $1 $there$newline"
}}
owned() {{
    [ -n "$owners" ] || return 0
    printf '%s' "$owners" | python3 -I -c '{PROGRAM}' || return 1
    owners=
}}
"""
