"""Go programs of an image: the module each was built from, those in it, and the Go that did it.

Format: Go's ``debug/buildinfo``. Since Go 1.18 the header ``\\xff Go buildinf:`` with flag 2 is
followed, at byte 32, by two strings, each with its length as a varint before it: Go's version, and
the modules' lines between two marks of 16 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packageurl import PackageURL

from slipway.bills.files import Files
from slipway.bills.values import GO, Component

_MAGIC = b"\xff Go buildinf:"
_ALIGNED, _INLINE = 16, 2
_HEADER, _MARK = 32, 16
_WHERE = r"(usr/)?s?bin/[^/]+|app/bin/[^/]+"


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """What a Go program says of its own making.

    Attributes:
        go: version of Go, ``go1.24.4``.
        modules: path and version of its main module and of every other one in it.
    """

    go: str
    modules: tuple[tuple[str, str], ...]


def read_build_info(data: bytes) -> BuildInfo | None:
    """The build information of a program; None when it is not Go's.

    Args:
        data: the whole ELF file.
    """
    at = data.find(_MAGIC)
    while at >= 0 and at % _ALIGNED:
        at = data.find(_MAGIC, at + 1)
    if at < 0 or at + _HEADER > len(data) or not data[at + 15] & _INLINE:
        return None
    go, rest = _string(data, at + _HEADER)
    text, _ = _string(data, rest)
    lines = text[_MARK:-_MARK].decode("utf-8", "replace").splitlines()
    found: list[tuple[str, str]] = []
    for kind, *row in (line.split("\t") for line in lines):
        if kind == "=>" and found:  # stands in for the one above it
            found.pop()
        if kind in ("mod", "dep", "=>") and len(row) > 1:
            found.append((row[0], row[1]))
    return BuildInfo(go.decode("ascii", "replace"), tuple(found))


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    length = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return data[at : at + length], at + length


def programs(files: Files) -> Iterator[Component]:
    """The modules of every Go program of an image, and Go's own library as ``stdlib``."""
    found: dict[tuple[str, str], list[str]] = {}
    for path, _ in files.matching(_WHERE):
        if files.starts(path, 4) != b"\x7fELF":
            continue
        info = read_build_info(files.read(path))
        if info is not None:
            for pair in (("stdlib", info.go), *info.modules):
                found.setdefault(pair, []).append(f"/{path}")
    for (name, version), places in sorted(found.items()):
        yield Component(GO, name, version, go_purl(name, version), places=tuple(places))


def go_purl(name: str, version: str) -> str:
    """The package URL of a module; Go itself has no ``go`` before its number there."""
    namespace, _, last = name.rpartition("/")
    plain = version.removeprefix("go") if name == "stdlib" else version
    return PackageURL("golang", namespace or None, last, plain or None).to_string()
