"""In what a rehearsal host differs from a plain server. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """A file or a folder that a boot makes.

    Attributes:
        path: absolute, on the host.
        mode: permission bits.
        text: the content of a file; nothing for a folder.
        owner: user and group id.
    """

    path: str
    mode: int
    text: str = ""
    owner: int = 0


@dataclass(frozen=True, slots=True)
class Bind:
    """A folder of this machine that the host has.

    Attributes:
        source: absolute, here.
        target: absolute, there.
    """

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Service:
    """A program that runs besides sshd and Docker, and is started again when it ends.

    Attributes:
        name: for the console.
        argv: the program, by its absolute path, and its arguments.
        socket: the Unix socket by which others see that it is there.
    """

    name: str
    argv: tuple[str, ...]
    socket: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What one system has besides, or instead of, a plain server.

    Attributes:
        files: in the place of those of the same path.
        folders: the same.
        binds: made before the others.
        noexec: folders from which no program starts.
        writable: what stays so while the rest of the system can't be written; empty where all can.
        sshd: lines for its settings.
        docker: settings of ``daemon.json``.
        services: more programs to run.
    """

    files: tuple[Row, ...] = ()
    folders: tuple[Row, ...] = ()
    binds: tuple[Bind, ...] = ()
    noexec: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    sshd: str = ""
    docker: Mapping[str, object] = field(default_factory=dict)
    services: tuple[Service, ...] = ()


PLAIN = Shape()
