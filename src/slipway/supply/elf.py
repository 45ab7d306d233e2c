"""What ELF files need, and where the program loader finds it. Standard library only.

The same file runs in two places: on this machine when the lock is made, and inside the Nix sandbox
when an image is checked, so the two can't disagree. Sources: System V ABI, chapters 4 and 5 (ELF
header, program headers, dynamic section; 64-bit little-endian files only, which is what amd64
has); ld.so(8) and glibc's ``elf/dl-load.c`` for the order in which folders are searched.
"""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 14, 15, 29
DEFAULT_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/lib64")
_LIB = "lib/x86_64-linux-gnu"  # what Debian's loader puts for $LIB
_MOST_LINKS = 40  # as many as the kernel follows


@dataclass(frozen=True, slots=True)
class Elf:
    """The dynamic part of an ELF file.

    Attributes:
        needed: file names of the libraries it asks for (``DT_NEEDED``).
        soname: the name it goes by (``DT_SONAME``), or empty.
        rpath: folders it and what it loads look in (``DT_RPATH``), ``$ORIGIN`` unexpanded; empty
            when there is a ``runpath``, beside which the loader ignores it.
        runpath: folders it alone looks in (``DT_RUNPATH``); None when it has no such entry.
        interpreter: the loader of a program, or empty.
    """

    needed: tuple[str, ...] = ()
    soname: str = ""
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] | None = None
    interpreter: str = ""


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
    entries = _entries(data, *dynamic) if dynamic else []
    strings = next((value for tag, value in entries if tag == _DT_STRTAB), None)
    if strings is None:
        return Elf(interpreter=interpreter)
    table = _file_offset(loads, strings)

    def texts(wanted: int) -> list[str]:
        return [_text(data, table + value) for tag, value in entries if tag == wanted]

    runpath = _folders(texts(_DT_RUNPATH))
    return Elf(
        needed=tuple(texts(_DT_NEEDED)),
        soname=next(iter(texts(_DT_SONAME)), ""),
        rpath=_folders(texts(_DT_RPATH)) or () if runpath is None else (),
        runpath=runpath,
        interpreter=interpreter,
    )


def _folders(texts: list[str]) -> tuple[str, ...] | None:
    """The folders of a search path; None when there is no such entry."""
    if not texts:
        return None
    return tuple(part for part in texts[-1].split(":") if part)


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


class Tree:
    """The paths of an image.

    Args:
        paths: every file, absolute.
        links: every symbolic link to what it says, absolute or relative to its folder.
    """

    def __init__(self, paths: Iterable[str], links: Mapping[str, str]) -> None:
        self._paths, self._links = frozenset(paths), links
        self._known: dict[str, str | None] = {}

    def locate(self, path: str) -> str | None:
        """The path of the file that ``path`` leads to over any links; None when it is not there."""
        if path not in self._known:
            self._known[path] = self._follow(path)
        return self._known[path]

    def _follow(self, path: str) -> str | None:
        done, left = "", [part for part in path.split("/") if part]
        followed = 0
        while left:
            part = left.pop(0)
            if part in (".", ".."):
                done = done if part == "." else posixpath.dirname(done).rstrip("/")
                continue
            target = self._links.get(f"{done}/{part}")
            if target is None:
                done = f"{done}/{part}"
                continue
            followed += 1
            if followed > _MOST_LINKS:
                return None
            done = "" if target.startswith("/") else done
            left = [part for part in target.split("/") if part] + left
        return done if done in self._paths else None


@dataclass(frozen=True, slots=True)
class Missing:
    """A library that is needed and not there.

    Attributes:
        path: the file that needs it.
        name: its file name.
        folders: where the loader looked, in order.
    """

    path: str
    name: str
    folders: tuple[str, ...]


@dataclass(slots=True)
class _Loaded:
    """A file in a process, and the one for which it was loaded."""

    path: str
    elf: Elf
    loader: _Loaded | None = None


@dataclass(slots=True)
class _Walk:
    """What came of loading one file: real paths of all that was loaded, and what was not found."""

    reached: set[str] = field(default_factory=set)
    missing: list[Missing] = field(default_factory=list)


def _expand(folders: Iterable[str], path: str) -> list[str]:
    origin = posixpath.dirname(path)
    words = {"ORIGIN": origin, "LIB": _LIB}
    done = []
    for folder in folders:
        for word, value in words.items():
            folder = folder.replace(f"${{{word}}}", value).replace(f"${word}", value)
        done.append(posixpath.normpath(folder))
    return done


def _search(file: _Loaded) -> tuple[str, ...]:
    """The folders searched for what a file needs.

    A file with ``DT_RUNPATH`` has that and nobody's ``DT_RPATH``; one without has its own
    ``DT_RPATH``, then that of the file it was loaded for, and so on up to the program.
    """
    if file.elf.runpath is not None:
        return (*_expand(file.elf.runpath, file.path), *DEFAULT_FOLDERS)
    own: list[str] = []
    link: _Loaded | None = file
    while link is not None:
        own += _expand(link.elf.rpath, link.path)
        link = link.loader
    return (*own, *DEFAULT_FOLDERS)


def _load(root: str, files: Mapping[str, Elf], tree: Tree) -> _Walk:
    """Load a file as the loader does: breadth first, each library once by name and by file."""
    queue = [_Loaded(root, files[root])]
    names = {files[root].soname}
    walk = _Walk({root})
    for file in queue:  # grows while it is read
        for name in file.elf.needed:
            if name in names:
                continue
            folders = _search(file) if "/" not in name else ("",)
            places = [posixpath.join(folder, name) for folder in folders]
            place = next((place for place in places if tree.locate(place)), None)
            if place is None:
                walk.missing.append(Missing(file.path, name, folders))
                continue
            names.add(name)
            real = tree.locate(place) or ""
            if real in walk.reached or real not in files:
                continue
            walk.reached.add(real)
            names.add(files[real].soname)
            queue.append(_Loaded(place, files[real], file))
    return walk


def missing(files: Mapping[str, Elf], tree: Tree) -> tuple[Missing, ...]:
    """What files need and the tree does not have.

    Where a library is searched depends on what loads it. So programs are loaded, and libraries
    that nothing else here loads (plugins, Python modules); all others as those load them.

    Args:
        files: real path inside the image to its dynamic section.
        tree: every path of the image.
    """
    walks = {path: _load(path, files, tree) for path in sorted(files)}
    inner = set().union(*(walk.reached - {path} for path, walk in walks.items()))
    roots = [path for path in walks if files[path].interpreter or path not in inner]
    seen = set().union(*(walks[path].reached for path in roots))
    for path, walk in walks.items():  # libraries that load each other and nothing loads
        if path not in seen:
            roots.append(path)
            seen |= walk.reached
    found = {(item.path, item.name): item for root in roots for item in walks[root].missing}
    return tuple(found[key] for key in sorted(found))
