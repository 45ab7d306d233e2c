"""A guide, read as its reader goes through it: what to type, write and click, in order. Pure.

What counts is how it is set: a line after ``$`` in a ``console`` block is typed, a ``toml`` block
is written into the host's table, *A > B* is a place of the web interface. In backquotes a command
with ``--host`` is typed, ``tank/…`` is a dataset, and a quoted ``….yml`` is a Compose file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_FENCE = re.compile(r" *```(\w*)$")
_HEADING = re.compile(r"(#+) (.+)$")
_MARK = re.compile(r"(?<!\*)\*(?P<web>[^*`]+ > [^*`]+)\*(?!\*)|`(?P<code>[^`]+)`")
_DATASET = re.compile(r"tank(/[\w.-]+)+")
_FILE = re.compile(r'"docker-compose[\w.-]*\.yml"')


class Kind(Enum):
    """What a reader does."""

    TYPE = "type"
    WRITE = "write"
    CLICK = "click"
    DATASET = "dataset"
    FILE = "file"


@dataclass(frozen=True)
class Move:
    """One thing that a guide has its reader do.

    Attributes:
        kind: what.
        text: the command line, the TOML, the place in the web interface, or the name.
        section: number of the ``##`` section, from 1; 0 before the first.
        title: its heading.
    """

    kind: Kind
    text: str
    section: int
    title: str

    def __str__(self) -> str:
        return f"{self.title}: {self.text}"


def moves(text: str) -> tuple[Move, ...]:
    """Everything that a guide has its reader do, in its order."""
    found: list[Move] = []
    section, title = 0, ""
    prose: list[str] = []
    block: list[str] | None = None
    language = ""

    def add(kind: Kind, said: str) -> None:
        found.append(Move(kind, said, section, title))

    def flush() -> None:
        for mark in _MARK.finditer(" ".join(prose)):
            if kind := _kind(mark):
                add(kind, mark["web"] or mark["code"])
        prose.clear()

    for line in text.splitlines():
        fence = _FENCE.match(line)
        heading = _HEADING.match(line)
        if fence and block is None:
            flush()
            block, language = [], fence[1]
        elif fence and block is not None:
            for kind, said in _typed(language, block):
                add(kind, said)
            block = None
        elif block is not None:
            block.append(line.strip())
        elif heading:
            flush()
            if len(heading[1]) == 2:
                section, title = section + 1, heading[2]
        else:
            prose.append(line.strip())
    flush()
    return tuple(found)


def _kind(mark: re.Match[str]) -> Kind | None:
    code = mark["code"] or ""
    if mark["web"]:
        return Kind.CLICK
    if code.startswith("./inv ") and "--host" in code:
        return Kind.TYPE
    if _DATASET.fullmatch(code):
        return Kind.DATASET
    return Kind.FILE if _FILE.fullmatch(code) else None


def _typed(language: str, lines: list[str]) -> list[tuple[Kind, str]]:
    if language == "console":
        shown = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return [(Kind.TYPE, line) for line in shown]
    return [(Kind.WRITE, "\n".join(lines))] if language == "toml" else []
