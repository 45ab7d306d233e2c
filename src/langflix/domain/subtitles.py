"""Subtitle bytes to cues.

Formats: `SubRip`_ (``.srt``).  The parser is pysubs2, which also reads the other formats that
players know; a format joins :data:`FORMATS` when its tests do.

.. _SubRip: https://en.wikipedia.org/wiki/SubRip
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from langflix.errors import InputError

#: File name ending to pysubs2's name of the format.
FORMATS = {".srt": "srt"}
#: A subtitle of a three-hour film is about 200 kB; the rest is not a subtitle.
MAX_BYTES = 10 * 2**20
#: Tried in this order; the last one accepts any byte, so decoding cannot fail.
ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")

_MARKUP = re.compile(r"<[^>]*>|\{[^}]*\}")
_SPEAKER_DASH = re.compile(r"(?m)^\s*[-–—]\s*")


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said between two times, in milliseconds from the film's start."""

    start_ms: int
    end_ms: int
    text: str


def parse(data: bytes, ending: str = ".srt") -> tuple[Cue, ...]:
    """Return the cues of a subtitle file in order of time.

    Args:
        data: the file's bytes, in UTF-8, UTF-16 with a mark, or a western 8-bit encoding.
        ending: the file name's ending with its dot.

    Raises:
        InputError: when it is no subtitle, too large, or says nothing.

    """
    format_name = FORMATS.get(ending.lower())
    if format_name is None:
        raise InputError(f"subtitles end in {', '.join(FORMATS)}, not in {ending or 'nothing'!r}")
    if len(data) > MAX_BYTES:
        raise InputError(f"the subtitle has {len(data)} bytes; {MAX_BYTES} are the most")
    # Here, not above: only images that read subtitles have the parser; the API has not.
    import pysubs2

    try:
        events = pysubs2.SSAFile.from_string(decode(data), format_=format_name).events
    except (pysubs2.exceptions.Pysubs2Error, ValueError, OverflowError) as error:
        raise InputError(f"the subtitle cannot be read as {ending}: {error}") from error
    cues = [
        Cue(event.start, event.end, text)
        for event in events
        if event.end > event.start >= 0 and (text := plain_text(event.plaintext))
    ]
    if not cues:
        raise InputError(f"the subtitle has no cue with a time and a text (read as {ending})")
    return tuple(sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms, cue.text)))


def decode(data: bytes) -> str:
    """Return the text of ``data``; a byte order mark decides, then :data:`ENCODINGS` in order."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 decodes every byte")


def plain_text(text: str) -> str:
    """Return ``text`` on one line, without markup and speakers' dashes."""
    return " ".join(_SPEAKER_DASH.sub("", _MARKUP.sub("", text)).split())
