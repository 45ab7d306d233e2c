"""Tiny shared libraries, made by hand: the dynamic section and what the loader must have beside."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_NEEDED, _STRTAB, _SYMTAB, _STRSZ, _SYMENT, _HASH = 1, 5, 6, 10, 11, 4
_SONAME, _RPATH, _RUNPATH = 14, 15, 29


def make_elf(
    needed: Sequence[str],
    soname: str = "",
    *,
    runpath: str | None = None,
    rpath: str | None = None,
) -> bytes:
    """A 64-bit shared library that the program loader takes, with no code and no symbols."""
    strings, named = b"\0", []
    wanted = [(_NEEDED, name) for name in needed]
    wanted += [
        (tag, text) for tag, text in ((_RUNPATH, runpath), (_RPATH, rpath)) if text is not None
    ]
    wanted += [(_SONAME, soname)] if soname else []
    for tag, text in wanted:
        named.append((tag, len(strings)))
        strings += text.encode() + b"\0"
    start = 64 + 2 * 56
    length = (len(named) + 6) * 16
    names_at = start + length
    symbols_at = (names_at + len(strings) + 7) // 8 * 8
    hash_at = symbols_at + 24
    total = hash_at + 20
    entries = [
        *named, (_STRTAB, names_at), (_STRSZ, len(strings)), (_SYMTAB, symbols_at), (_SYMENT, 24),
        (_HASH, hash_at), (0, 0),
    ]  # fmt: skip
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 6, 0, 0, 0, total, total, 4096)
    dynamic = struct.pack("<IIQQQQQQ", 2, 6, start, start, start, length, length, 8)
    section = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    body = (header + load + dynamic + section + strings).ljust(symbols_at, b"\0")
    return body + bytes(24) + struct.pack("<5I", 1, 1, 0, 0, 0)
