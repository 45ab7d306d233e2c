"""What an ELF file needs and offers, read from its dynamic section. Standard library only.

The same file runs in two places: on this machine when the lock is made, and inside the Nix sandbox
when an image is checked. Format: System V ABI, chapters 4 and 5 (ELF header, program headers,
dynamic section); 64-bit little-endian files only, which is what amd64 has.
"""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 14, 15, 29
DEFAULT_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/lib64")


@dataclass(frozen=True, slots=True)
class Elf:
    """The dynamic part of an ELF file.

    Attributes:
        needed: file names of the libraries it asks for (``DT_NEEDED``).
        soname: the name it goes by (``DT_SONAME``), or empty.
        folders: where it looks first (``DT_RUNPATH``, else ``DT_RPATH``), ``$ORIGIN`` unexpanded.
        interpreter: the loader of a program, or empty.
    """

    needed: tuple[str, ...]
    soname: str
    folders: tuple[str, ...]
    interpreter: str


def parse(data: bytes) -> Elf | None:
    """Read an ELF file's dynamic section.

    Args:
        data: the whole file.

    Returns:
        None when it isn't a 64-bit little-endian ELF file, or is damaged; static programs and
        object files have nothing needed.
    """
    if data[:6] != b"\x7fELF\x02\x01" or len(data) < 64:
        return None
    try:
        return _parse(data)
    except (struct.error, IndexError, ValueError, OverflowError):
        return None


def _parse(data: bytes) -> Elf:
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    loads: list[tuple[int, int, int]] = []
    dynamic: tuple[int, int] | None = None
    interpreter = ""
    for index in range(count):
        kind, _, at, address, _, length = struct.unpack_from("<IIQQQQ", data, offset + index * size)
        if kind == _PT_LOAD:
            loads.append((address, at, length))
        elif kind == _PT_DYNAMIC:
            dynamic = (at, length)
        elif kind == _PT_INTERP:
            interpreter = data[at : at + length].rstrip(b"\0").decode("ascii", "replace")
    if dynamic is None:
        return Elf((), "", (), interpreter)
    entries = _entries(data, *dynamic)
    strings = next((value for tag, value in entries if tag == _DT_STRTAB), None)
    if strings is None:
        return Elf((), "", (), interpreter)
    table = _file_offset(loads, strings)

    def texts(wanted: int) -> list[str]:
        return [_text(data, table + value) for tag, value in entries if tag == wanted]

    folders = texts(_DT_RUNPATH) or texts(_DT_RPATH)
    return Elf(
        needed=tuple(texts(_DT_NEEDED)),
        soname=next(iter(texts(_DT_SONAME)), ""),
        folders=tuple(part for text in folders for part in text.split(":") if part),
        interpreter=interpreter,
    )


def _entries(data: bytes, at: int, length: int) -> list[tuple[int, int]]:
    entries: list[tuple[int, int]] = []
    for position in range(at, at + length, 16):
        tag, value = struct.unpack_from("<qQ", data, position)
        if tag == _DT_NULL:
            break
        entries.append((tag, value))
    return entries


def _file_offset(loads: Iterable[tuple[int, int, int]], address: int) -> int:
    for start, at, length in loads:
        if start <= address < start + length:
            return address - start + at
    raise ValueError(f"address {address:#x} is in no segment")


def _text(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode("utf-8", "replace")


def search_folders(path: str, elf: Elf) -> tuple[str, ...]:
    """The folders the loader searches for what the file at ``path`` needs, in order."""
    origin = posixpath.dirname(path)
    own = [
        posixpath.normpath(folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin))
        for folder in elf.folders
    ]
    return (*own, *DEFAULT_FOLDERS)


def unresolved(
    files: Mapping[str, Elf], exists: Callable[[str], bool], offered: frozenset[str] = frozenset()
) -> dict[str, tuple[str, ...]]:
    """What files need and the tree does not have.

    Args:
        files: path inside the image to its dynamic section.
        exists: whether a path is in the image (links followed).
        offered: sonames of libraries that a wheel bundles; the loader finds those already loaded.

    Returns:
        Library name to the paths that need it; empty when all is there.
    """
    missing: dict[str, list[str]] = {}
    for path, elf in sorted(files.items()):
        for name in elf.needed:
            if name in offered:
                continue
            folders = search_folders(path, elf)
            if not any(exists(posixpath.join(folder, name)) for folder in folders):
                missing.setdefault(name, []).append(path)
    return {name: tuple(paths) for name, paths in sorted(missing.items())}
