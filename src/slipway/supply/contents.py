"""What is in a package or a wheel, as far as the loader of programs is concerned; kept once read.

Reading a few hundred packages takes minutes and gives the same every time, so what was read is
kept below ``.slipway``, by the hash of the package and of the code that read it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from functools import cache, lru_cache
from pathlib import Path

from slipway.supply.elf import Elf

_READERS = ("contents.py", "deb.py", "elf.py", "wheels.py")


@dataclass(frozen=True, slots=True)
class Contents:
    """ELF files, libraries and links of a package.

    Attributes:
        elves: path to the dynamic section of each ELF file. In packages paths are absolute and
            usr-merged, in wheels relative to ``site-packages``.
        paths: every ELF file, and every file named like a library.
        links: every symbolic or hard link to what it says; a hard link's target is absolute.
    """

    elves: dict[str, Elf]
    paths: frozenset[str]
    links: dict[str, str]

    def without(self, drop: Sequence[str]) -> Contents:
        """The same without the paths that globs (without leading ``/``) take away."""

        def stays(path: str) -> bool:
            return not is_dropped(path, drop)

        return Contents(
            {path: found for path, found in self.elves.items() if stays(path)},
            frozenset(filter(stays, self.paths)),
            {path: target for path, target in self.links.items() if stays(path)},
        )

    def to_json(self) -> dict[str, object]:
        """The form it is kept in."""
        elves = {path: astuple(found) for path, found in self.elves.items()}
        return {"elves": elves, "paths": sorted(self.paths), "links": self.links}


def from_json(text: str) -> Contents | None:
    """What :meth:`Contents.to_json` wrote; None when it is damaged."""
    try:
        value = json.loads(text)
        elves = {
            path: Elf(
                tuple(needed),
                soname,
                tuple(rpath),
                None if runpath is None else tuple(runpath),
                interpreter,
            )
            for path, (needed, soname, rpath, runpath, interpreter) in value["elves"].items()
        }
        return Contents(elves, frozenset(value["paths"]), dict(value["links"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


class Shelf:
    """What was read of packages and wheels, by hash.

    Args:
        folder: where it is kept; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _readers_hash()

    def has(self, sha256: str) -> bool:
        """Whether the contents of a file with this hash are known."""
        return self._path(sha256).exists()

    def get(self, sha256: str, read: Callable[[], Contents]) -> Contents:
        """The contents of a file with this hash; ``read`` is called when they aren't known."""
        path = self._path(sha256)
        known = from_json(path.read_text("utf-8")) if path.exists() else None
        if known is not None:
            return known
        contents = read()
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".new")
        part.write_text(json.dumps(contents.to_json()), "utf-8")
        part.replace(path)
        return contents

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.json"


@cache
def _readers_hash() -> str:
    digest = hashlib.sha256()
    for name in _READERS:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()[:16]


def merged(path: str) -> str:
    """A member's path with a leading ``/`` and merged into ``/usr`` (Debian's usr-merge)."""
    clean = "/" + path.removeprefix("./").strip("/")
    return re.sub(r"^/(bin|sbin|lib|lib32|lib64|libx32)(?=/|$)", r"/usr/\1", clean)


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    """``*`` stays inside a folder; ``**``, only at the end, takes everything below."""
    inside = "".join(
        "[^/]*" if char == "*" else re.escape(char) for char in glob.removesuffix("/**")
    )
    return re.compile(inside + r"(/.*)?\Z", re.DOTALL)


def is_dropped(path: str, drop: Sequence[str]) -> bool:
    """Whether ``path`` (merged, with leading ``/``) matches one of the ``drop`` globs."""
    return any(_pattern(glob).match(path[1:]) for glob in drop)


def is_library(path: str) -> bool:
    """Whether a file is named like a shared library; a search path may name any folder."""
    return ".so" in path.rsplit("/", 1)[-1]
