"""Pages of the documentation, read: headings, links, code blocks, tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_KEY = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced code block.

    Attributes:
        language: the word after the fence; may be empty.
        text: what is inside, without the fence's indentation.
    """

    language: str
    text: str


def read(path: Path) -> str:
    """The text of a page."""
    return path.read_text("utf-8")


def blocks(text: str) -> list[Block]:
    """Every fenced code block."""
    found = []
    for indent, language, body in _FENCE.findall(text):
        lines = [line.removeprefix(indent) for line in body.splitlines()]
        found.append(Block(language, "\n".join(lines)))
    return found


def prose(text: str) -> str:
    """The text without its fenced code blocks."""
    return _FENCE.sub("", text)


def headings(text: str) -> list[tuple[int, str]]:
    """Level and words of every heading outside of code."""
    return [(len(marks), words) for marks, words in _HEADING.findall(prose(text))]


def anchors(text: str) -> set[str]:
    """The anchors GitHub makes of the headings: small letters, spaces to hyphens, no marks."""
    return {re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-") for _, words in headings(text)}


def links(text: str) -> list[str]:
    """The target of every link outside of code."""
    joined = re.sub(r"\s*\n\s*", " ", prose(text))
    return _LINK.findall(joined)


def section(text: str, title: str) -> str:
    """What stands below a heading, down to the next one of its level or above.

    Raises:
        KeyError: there is no such heading.
    """
    text = prose(text)
    found = [match for match in _HEADING.finditer(text) if match[2] == title]
    if not found:
        raise KeyError(title)
    level, start = len(found[0][1]), found[0].end()
    ends = [m.start() for m in _HEADING.finditer(text, start) if len(m[1]) <= level]
    return text[start : ends[0] if ends else len(text)]


def own(text: str, title: str) -> str:
    """What stands below a heading, down to the next heading of any level."""
    body = section(text, title)
    following = _HEADING.search(body)
    return body[: following.start()] if following else body


def tables(text: str) -> list[list[list[str]]]:
    """Every table: its rows of cells, without the heading and the line below it."""
    found: list[list[list[str]]] = []
    for group in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        rows = [
            [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            for line in group.splitlines()
        ]
        found.append(rows[2:])
    return found


def keys(text: str) -> list[str]:
    """The names in backquotes that the first column of the first table has."""
    return [name for row in tables(text)[0] for name in _KEY.findall(row[0])]
