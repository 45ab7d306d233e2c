"""What this machine last sent to a host, kept to compress the next archive against it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


class Shelf:
    """A folder with the newest reference of one host, under its sha256.

    Nothing here is trusted: bytes that are not those of their name are as good as none.

    Args:
        folder: its place, made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, sha256: str) -> bytes | None:
        """The bytes with that sha256 (64 hexadecimal digits), or None when they aren't there."""
        try:
            data = (self._folder / sha256).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def keep(self, data: bytes) -> None:
        """Keep ``data`` in place of what was kept before.

        Raises:
            OSError: the folder can't be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = self._folder / hashlib.sha256(data).hexdigest()
        fresh = self._folder / f".{kept.name}.{os.getpid()}"
        fresh.touch(mode=0o600)
        fresh.write_bytes(data)
        fresh.replace(kept)
        for old in self._folder.iterdir():
            if old.name != kept.name:
                old.unlink(missing_ok=True)
