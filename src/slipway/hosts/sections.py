"""Several answers in one: how a script of ours prints named texts and files, and how they are read.

Each section is a line ``NAME SIZE``, that many bytes, and a newline. Sizes are counted, so no
content can be taken for a heading.
"""

from __future__ import annotations

import zlib
from typing import Final

from slipway.errors import HostError

# text NAME VALUE and file NAME PATH print a section. In the C locale a length counts bytes.
PRELUDE = """set -eu
LC_ALL=C
export LC_ALL
text() { printf '%s %s\\n%s\\n' "$1" "${#2}" "$2"; }
file() { printf '%s ' "$1"; wc -c <"$2"; cat -- "$2"; echo; }
"""

_GZIP: Final = b"\x1f\x8b"  # RFC 1952
_WITH_HEADER: Final = 31  # zlib's own way to ask for that format, with the largest window
# Goes on as the script itself would, with its arguments, code and standard error.
_COMPACT = """{prelude}
printed() {{
{body}
}}
if command -v gzip >/dev/null 2>&1; then
    exec 4>&1
    code=$({{
        {{
            set +e
            (set -e; printed "$@") 3>&- 4>&-
            echo "$?" >&3
        }} | gzip -c >&4 3>&-
    }} 3>&1)
    exit "$code"
fi
printed "$@"
"""


def compact(body: str) -> str:
    """A script that prints sections by ``body``, packed where its host has gzip.

    JSON gets to a tenth by that, and on a slow line what it was takes longer than a round trip.
    """
    return _COMPACT.format(prelude=PRELUDE, body=body)


def sections(data: bytes, *, where: str) -> list[tuple[str, bytes]]:
    """The sections that a script printed, in order.

    Args:
        data: what it printed, packed or not.
        where: the host's name, for the message.

    Raises:
        HostError: the output breaks off or is something else.
    """
    if data.startswith(_GZIP):
        data = _unpacked(data, where)
    found, place = [], 0
    while place < len(data):
        end = data.find(b"\n", place)
        name, _, size = data[place:end].decode("utf-8", "replace").rpartition(" ")
        name, size = name.strip(), size.strip()
        if end < 0 or not name or not (size.isascii() and size.isdigit()):
            raise _broken(where, data[place : place + 80])
        start, place = end + 1, end + 1 + int(size) + 1
        if place > len(data) or data[place - 1 : place] != b"\n":
            raise _broken(where, data[start : start + 80])
        found.append((name, data[start : place - 1]))
    return found


def gzipped(data: bytes) -> bytes:
    """As ``gzip -d`` takes it; the same bytes each time."""
    return zlib.compress(data, wbits=_WITH_HEADER)


def _unpacked(data: bytes, where: str) -> bytes:
    try:
        return zlib.decompress(data, _WITH_HEADER)
    except zlib.error as error:
        raise _broken(where, data[:80]) from error


def _broken(where: str, part: bytes) -> HostError:
    return HostError(
        f"{where} answered what this version doesn't understand; nothing was changed by that",
        details=[repr(part)],
        hint="try again; if it stays so, look at what the login shell prints there",
        stage="read",
    )
