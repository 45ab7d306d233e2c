"""Decides how a download begins, goes on and is told to be whole; touches nothing.

A part is called ``NAME.TAG.part``: the tag is the server's ETag, so a part says itself which
content it belongs to, and two parts of different contents are never mixed (RFC 9110, 13.1.5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

PART = ".part"
_STRONG = re.compile(r'"([A-Za-z0-9_-]{1,64})"')
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_LENGTH = re.compile(r"\d{1,18}")


@dataclass(frozen=True, slots=True)
class Part:
    """What an earlier try left: the tag of its content, and how many bytes there are."""

    tag: str
    size: int


@dataclass(frozen=True, slots=True)
class Coming:
    """What an answer brings.

    Attributes:
        start: where in the file its first byte belongs.
        total: bytes of the whole file.
        tag: of the content; empty when it cannot be told from another.
        modified: when the file was made, in whole seconds since 1970; None when not told.

    """

    start: int
    total: int
    tag: str
    modified: int | None


def part_name(name: str, tag: str) -> str:
    """Return the name of a file's part; without a tag it is one that is never gone on with."""
    return f"{name}.{tag}{PART}" if tag else f"{name}{PART}"


def part_tag(name: str, file_name: str) -> str | None:
    """Return the tag that a part of ``name`` has in its own name; None when it is none."""
    tag = file_name.removeprefix(f"{name}.").removesuffix(PART)
    return tag if part_name(name, tag) == file_name and _STRONG.fullmatch(f'"{tag}"') else None


def asked(part: Part | None) -> dict[str, str]:
    """Return the headers that ask for what is missing, or for all.

    The part's last byte is asked for again: a part that is complete gets an answer like any other.
    """
    if part is None or part.size < 1:
        return {}
    return {"Range": f"bytes={part.size - 1}-", "If-Range": f'"{part.tag}"'}


def coming(status: int, headers: Mapping[str, str], part: Part | None) -> Coming:
    """Return what an answer brings; the names in ``headers`` are in small letters.

    Raises:
        ValueError: when it is none to what :func:`asked` for, or does not say how long it is.

    """
    strong = _STRONG.fullmatch(headers.get("etag") or "")
    tag, modified = strong[1] if strong else "", _seconds(headers.get("last-modified"))
    if status == 200:
        length = headers.get("content-length") or ""
        if not _LENGTH.fullmatch(length):
            raise ValueError("it does not say how long the file is")
        return Coming(0, int(length), tag, modified)
    span = _RANGE.fullmatch(headers.get("content-range") or "") if status == 206 else None
    if span is None or part is None:
        raise ValueError(f"status {status} is no answer to a download")
    first, last, total = map(int, span.groups())
    if (first, last) != (part.size - 1, total - 1) or tag != part.tag:
        raise ValueError("it is not the rest of the file that was asked for")
    return Coming(first, total, tag, modified)


def kept(size: int, changed: float, found: Coming) -> bool:
    """Say whether a file that is there already is what the answer brings."""
    return found.modified is not None and (size, int(changed)) == (found.total, found.modified)


def _seconds(date: str | None) -> int | None:
    try:
        told = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return int(told.replace(tzinfo=told.tzinfo or UTC).timestamp())
