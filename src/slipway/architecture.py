"""The names one processor architecture has with everybody.

Python takes them from here. Nix, and ``supply/elf.py``, which runs inside a build, say them once
more; a test compares. Another architecture is another value here, and a choice between them there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """An architecture that images are made for.

    Attributes:
        debian: Debian's name for it; Go's and OCI's are the same.
        machine: the kernel's (``uname -m``); wheels' platform tags end with it.
        multiarch: Debian's folder of libraries below ``/usr/lib``.
        nix: Nix's name of a system.
        loader: file name of glibc's program loader.
    """

    debian: str
    machine: str
    multiarch: str
    nix: str
    loader: str


AMD64 = Architecture(
    debian="amd64",
    machine="x86_64",
    multiarch="x86_64-linux-gnu",
    nix="x86_64-linux",
    loader="ld-linux-x86-64.so.2",
)
