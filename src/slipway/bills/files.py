"""The files of an image, read from the store paths that its layers are made of."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import BuildError
from slipway.images.tree import entries
from slipway.images.values import Image


@dataclass(frozen=True, slots=True)
class Files:
    """Regular files of an image.

    Attributes:
        sources: path in the image, without leading ``/``, to the file its content comes from.
    """

    sources: dict[str, Path]

    def matching(self, pattern: str) -> Iterator[tuple[str, re.Match[str]]]:
        """Paths that a regular expression matches as a whole, in order of their names."""
        wanted = re.compile(pattern)
        for path in sorted(self.sources):
            if found := wanted.fullmatch(path):
                yield path, found

    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            BuildError: it can't be read.
        """
        try:
            return self.sources[path].read_bytes()
        except OSError as error:
            raise BuildError(
                f"{self.sources[path]}, part of an image, can't be read: {error.strerror}",
                hint="./inv build",
                stage="bills",
            ) from error

    def starts(self, path: str, count: int) -> bytes:
        """The first ``count`` bytes of a file."""
        with self.sources[path].open("rb") as file:
            return file.read(count)


@dataclass(frozen=True, slots=True)
class _Remembering(Files):
    """Files of which the one that was read last stays in memory."""

    last: dict[str, bytes]

    def read(self, path: str) -> bytes:
        """The content of a file; see :meth:`Files.read`."""
        if path not in self.last:
            data = Files.read(self, path)
            self.last.clear()
            self.last[path] = data
        return self.last[path]


def remembering(files: Files) -> Files:
    """The same files for one who reads the same one again and again."""
    return _Remembering(files.sources, {})


def files_of(image: Image) -> Files:
    """Every regular file of an image; an upper layer's goes over a lower one's.

    Raises:
        BuildError: a layer's store path can't be read.
    """
    found: dict[str, Path] = {}
    for layer in image.layers:
        for entry, source in entries(layer.paths):
            if source is not None:
                found[os.fsdecode(entry.name).strip("/")] = Path(os.fsdecode(source))
    return Files(found)
