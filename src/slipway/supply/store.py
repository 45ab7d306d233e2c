"""Nix store names and paths, and adding files to the store.

A file added with ``nix-store --add-fixed sha256`` has the very path of a fixed-output derivation
with that name and hash, so Nix finds it there and downloads nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.doors import Shell
from slipway.errors import CommandFailed, FetchError

STORE = "/nix/store"
_DIGITS = "0123456789abcdfghijklmnpqrsvwxyz"
_ILLEGAL = re.compile(r"[^0-9A-Za-z+._?=-]")


@dataclass(frozen=True, slots=True)
class StoreFile:
    """A file or folder with a path in the store that follows from its name and hash alone.

    Attributes:
        name: its store name (see :func:`store_name`).
        sha256: hex; of the bytes, or of the NAR when ``recursive``.
        recursive: whether it is a folder (or has an executable bit to keep).
    """

    name: str
    sha256: str
    recursive: bool = False

    @property
    def path(self) -> str:
        """Its store path."""
        return fixed_path(self.name, self.sha256, recursive=self.recursive)


def store_name(file_name: str) -> str:
    """A legal store name for any file name.

    What apt escapes (``%3a %7e %2b``) is decoded first, and every character Nix refuses becomes
    ``_``; ``nix/lib/deb.nix`` does the same, and both are tested on the same cases.
    """
    plain = re.sub(r"%(3[aA]|7[eE]|2[bB])", lambda m: chr(int(m[1], 16)), file_name)
    return _ILLEGAL.sub("_", plain).lstrip(".") or "_"


def nix_base32(data: bytes) -> str:
    """Nix's own base 32: no e, o, u, t; the last bits first."""
    length = (len(data) * 8 - 1) // 5 + 1
    out = []
    for position in reversed(range(length)):
        bit = position * 5
        byte, shift = bit // 8, bit % 8
        value = data[byte] >> shift
        if byte + 1 < len(data):
            value |= data[byte + 1] << (8 - shift)
        out.append(_DIGITS[value & 0x1F])
    return "".join(out)


def fixed_path(name: str, sha256: str, *, recursive: bool = False) -> str:
    """The path of a fixed-output file: what ``nix-store --print-fixed-path`` prints.

    Args:
        name: its store name.
        sha256: hex.
        recursive: the hash is of the NAR rather than of the bytes.
    """
    if recursive:
        text = f"source:sha256:{sha256}:{STORE}:{name}"
    else:
        inner = hashlib.sha256(f"fixed:out:sha256:{sha256}:".encode()).hexdigest()
        text = f"output:out:sha256:{inner}:{STORE}:{name}"
    digest = hashlib.sha256(text.encode()).digest()
    short = bytearray(20)
    for index, byte in enumerate(digest):
        short[index % 20] ^= byte
    return f"{STORE}/{nix_base32(bytes(short))}-{name}"


def missing(shell: Shell, files: Iterable[StoreFile]) -> tuple[StoreFile, ...]:
    """The files that the store does not have (one question to Nix for all of them)."""
    wanted = list(files)
    if not wanted:
        return ()
    asked = shell.run(
        ["nix-store", "--check-validity", "--print-invalid", *(file.path for file in wanted)],
        timeout=120,
    )
    invalid = set(asked.text.split())
    return tuple(file for file in wanted if file.path in invalid)


def add(shell: Shell, paths: Sequence[Path], *, recursive: bool = False) -> tuple[str, ...]:
    """Add files (or folders, with ``recursive``) under their own names; their store paths.

    Raises:
        FetchError: Nix refused them.
    """
    if not paths:
        return ()
    mode = ["--recursive"] if recursive else []
    try:
        added = shell.run(
            ["nix-store", "--add-fixed", *mode, "sha256", *(str(path) for path in paths)],
            timeout=900,
        )
    except CommandFailed as error:
        raise FetchError(
            "Nix did not take the fetched files into its store",
            details=error.details,
            hint="`nix-store --verify` checks the store; is its disk full?",
            stage="fetch",
        ) from error
    return tuple(added.text.split())


def nar_sha256(shell: Shell, path: str) -> str:
    """The hex SHA-256 of a path's NAR, as fixed-output folders are named by.

    Raises:
        CommandFailed: the path can't be read.
    """
    done = shell.run(["nix-hash", "--type", "sha256", path], timeout=600)
    return done.text.strip()
