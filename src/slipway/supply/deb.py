"""Look inside a Debian package without unpacking it to disk.

Format: deb(5): an ``ar`` archive of ``debian-binary``, ``control.tar.*`` and ``data.tar.*``.
"""

from __future__ import annotations

import io
import lzma
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import zstandard

from slipway.errors import FetchError
from slipway.supply import elf


@dataclass(frozen=True, slots=True)
class PackageFiles:
    """What a package holds, as far as the closure of libraries needs to know.

    Attributes:
        elves: path (with leading ``/``, usr-merged) to the dynamic section of each ELF file.
        paths: every file and link in it, usr-merged.
    """

    elves: dict[str, elf.Elf]
    paths: frozenset[str]


def members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The members of an ``ar`` archive: name and content.

    Raises:
        FetchError: the bytes are no ``ar`` archive.
    """
    if data[:8] != b"!<arch>\n":
        raise FetchError("a package is no ar archive", hint="./inv fetch fetches it again")
    at = 8
    while at + 60 <= len(data):
        header = data[at : at + 60]
        try:
            size = int(header[48:58])
        except ValueError as error:
            raise FetchError("a package's ar archive is damaged") from error
        yield header[:16].decode("ascii", "replace").strip().rstrip("/"), data[at + 60 :][:size]
        at += 60 + size + size % 2


def open_data(data: bytes) -> tarfile.TarFile:
    """The ``data.tar`` of a package, decompressed.

    Raises:
        FetchError: it has none, or one of an unknown compression.
    """
    for name, content in members(data):
        if not name.startswith("data.tar"):
            continue
        if name.endswith(".xz"):
            content = lzma.decompress(content)
        elif name.endswith(".zst"):
            content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
        elif name != "data.tar":
            raise FetchError(f"a package has {name}, whose compression is unknown")
        return tarfile.open(fileobj=io.BytesIO(content))
    raise FetchError("a package has no data.tar")


def extract(tar: tarfile.TarFile, members: Iterable[tarfile.TarInfo], target: Path) -> None:
    """Unpack members below ``target``; the archive is trusted, its hash matches the lock.

    Debian 12's Python 3.11.2 knows no filters yet, and later ones want one named.
    """
    named: dict[str, Any] = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}
    for member in members:
        tar.extract(member, target, **named)


def merged(path: str) -> str:
    """A member's path with a leading ``/`` and merged into ``/usr`` (Debian's usr-merge)."""
    clean = "/" + path.removeprefix("./").strip("/")
    return re.sub(r"^/(bin|sbin|lib|lib32|lib64|libx32)(?=/|$)", r"/usr/\1", clean)


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    """``*`` stays inside a folder; ``**``, only at the end, takes everything below."""
    if glob.endswith("/**"):
        return re.compile(_inside(glob[:-3]) + r"(/.*)?\Z", re.DOTALL)
    return re.compile(_inside(glob) + r"(/.*)?\Z", re.DOTALL)


def _inside(glob: str) -> str:
    return "".join("[^/]*" if char == "*" else re.escape(char) for char in glob)


def is_dropped(path: str, drop: Sequence[str]) -> bool:
    """Whether ``path`` (merged, with leading ``/``) matches one of the ``drop`` globs."""
    return any(_pattern(glob).match(path[1:]) for glob in drop)


def read_files(data: bytes, drop: Sequence[str]) -> PackageFiles:
    """What a package holds once the dropped paths are gone.

    Args:
        data: the ``.deb``.
        drop: globs without leading ``/``.

    Raises:
        FetchError: the package is damaged.
    """
    elves: dict[str, elf.Elf] = {}
    paths: set[str] = set()
    with open_data(data) as tar:
        for member in tar:
            path = merged(member.name)
            if member.isdir() or is_dropped(path, drop):
                continue
            paths.add(path)
            if not member.isreg() or member.size < 64:
                continue
            file = tar.extractfile(member)
            if file is None or file.read(4) != b"\x7fELF":
                continue
            file.seek(0)
            parsed = elf.parse(file.read())
            if parsed is not None:
                elves[path] = parsed
    return PackageFiles(elves, frozenset(paths))
