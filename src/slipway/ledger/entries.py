"""What is written into an application's folder, as values. Pure.

An entry names its content by a :class:`Source` and never holds it, so that entries can be printed:
what a secret is made of appears in no plan.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where a content comes from.

    Attributes:
        kind: ``config``, ``compose``, ``release`` or ``secret``.
        name: which one of its kind.
        version: of a secret; 0 for others.
    """

    kind: str
    name: str
    version: int = 0

    def __str__(self) -> str:
        version = f"/{self.version}" if self.version else ""
        return f"{self.kind}:{self.name}{version}"


@dataclass(frozen=True, slots=True)
class File:
    """A file, written whole or not at all.

    Attributes:
        path: relative to the application's folder; folders above it are made.
        source: its content.
        mode: permission bits.
        owner: user and group id; None leaves the login user's.
        fresh: whether it must not be there yet.
    """

    path: str
    source: Source
    mode: int
    owner: int | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Directory:
    """A folder. One that is there is left as it is.

    Attributes:
        path: relative to the application's folder, or absolute.
        mode: permission bits it is made with.
        owner: user and group id it is given; None leaves the login user's.
    """

    path: str
    mode: int
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, put in the place of the one before in one indivisible step.

    Attributes:
        path: relative to the application's folder.
        target: what it points to; empty takes the link away.
    """

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Text:
    """A small file of slipway's own whose content is no secret, written whole or not at all.

    Attributes:
        path: relative to the application's folder.
        text: its content; empty takes the file away.
    """

    path: str
    text: str


Entry = File | Directory | Link | Text


def entry_json(entry: Entry) -> dict[str, object]:
    """An entry for ``plan --steps --json``; modes as octal digits."""
    if isinstance(entry, Link):
        return {"kind": "link", "path": entry.path, "target": entry.target}
    if isinstance(entry, Text):
        return {"kind": "text", "path": entry.path, "text": entry.text}
    shape: dict[str, object] = {
        "path": entry.path,
        "mode": f"{entry.mode:04o}",
        "owner": entry.owner,
    }
    if isinstance(entry, Directory):
        return {"kind": "directory", **shape}
    return {"kind": "file", **shape, "source": str(entry.source), "fresh": entry.fresh}
