"""Look inside a Debian package without unpacking it to disk.

Format: deb(5): an ``ar`` archive of ``debian-binary``, ``control.tar.*`` and ``data.tar.*``.
"""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import zstandard

from slipway.errors import FetchError
from slipway.supply import elf
from slipway.supply.contents import Contents, is_library, merged


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


def read(data: bytes) -> Contents:
    """What a package holds.

    Args:
        data: the ``.deb``.

    Raises:
        FetchError: the package is damaged.
    """
    elves: dict[str, elf.Elf] = {}
    paths: set[str] = set()
    links: dict[str, str] = {}
    with open_data(data) as tar:
        for member in tar:
            path = merged(member.name)
            if member.issym():
                if path != f"/{member.linkname}":  # base-files' links of the merged /usr itself
                    links[path] = member.linkname
            elif member.islnk():
                links[path] = merged(member.linkname)
            elif member.isreg():
                file = tar.extractfile(member)
                if file is not None and file.read(4) == b"\x7fELF":
                    file.seek(0)
                    parsed = elf.parse(file.read())
                    if parsed is not None:
                        elves[path] = parsed
                if is_library(path):
                    paths.add(path)
    return Contents(elves, frozenset(paths | set(elves)), links)
