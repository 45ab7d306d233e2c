"""Subtitle bytes to cues.

Formats: `SubRip`_ (``.srt``), `WebVTT`_ (``.vtt``), `SubStation Alpha`_ (``.ass``, ``.ssa``) by
pysubs2, SAMI (``.smi``) by :mod:`langflix.domain.sami`.  A file is what it says inside, whatever
its name: many a WebVTT is called ``.srt``.

Files come from strangers.  Lines, cues and times are bounded before the parser sees them, and
patterns take linear time, so that no file keeps a worker busy.

.. _SubRip: https://en.wikipedia.org/wiki/SubRip
.. _WebVTT: https://www.w3.org/TR/webvtt1/
.. _SubStation Alpha: https://en.wikipedia.org/wiki/SubStation_Alpha
"""

from __future__ import annotations

import html
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from langflix.domain import sami
from langflix.domain.encodings import decode
from langflix.errors import InputError

#: File name ending to pysubs2's name of the format; SAMI is read here.
FORMATS = {".srt": "srt", ".vtt": "vtt", ".ass": "ass", ".ssa": "ssa", ".smi": "sami"}
#: A subtitle of a three-hour film is about 200 kB; the rest is not a subtitle.
MAX_BYTES = 10 * 2**20
MAX_CUES = 20_000
#: More than a screen holds is no line that somebody says.
MAX_TEXT = 1000
#: A cue is not shown for longer, and no film lasts longer, in milliseconds.
MAX_CUE_MS = 60_000
MAX_FILM_MS = 24 * 3600 * 1000
#: Longer lines of a file are cut, and what follows a cue's first lines is left out.
_MAX_LINE = 2000
_MAX_CUE_LINES = 20

_MARKUP = re.compile(r"<[^<>]*>|\{[^{}]*\}")
_ASS_BREAK = re.compile(r"\\[Nnh]")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}")
_SPEAKER_DASH = re.compile(r"(?m)^[^\S\n]*[-–—]\s*")
_DIALOGUE = re.compile(
    r"Dialogue:[^,]{0,40}(?:,\s{0,9}\d{1,2}:\d{1,2}:\d{1,2}[.,]\d{1,3}\s{0,9}){2}(?:,[^,]*){6},"
)


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said between two times, in milliseconds from the film's start."""

    start_ms: int
    end_ms: int
    text: str


def parse(data: bytes, ending: str = ".srt") -> tuple[Cue, ...]:
    """Return the cues of a subtitle file in order of time, each once.

    Args:
        data: the file's bytes, in any encoding that :mod:`langflix.domain.encodings` knows.
        ending: the file name's ending with its dot.

    Raises:
        InputError: when it is no subtitle, too large, or says nothing.

    """
    format_name = FORMATS.get(ending.lower())
    if format_name is None:
        raise InputError(f"subtitles end in {', '.join(FORMATS)}, not in {ending or 'nothing'!r}")
    if len(data) > MAX_BYTES:
        raise InputError(f"the subtitle has {len(data)} bytes; {MAX_BYTES} are the most")
    text = decode(data).replace("\0", "")
    format_name = sniff(text) or format_name
    cues = {cue for event in _events(text, format_name) if (cue := _cue(*event)) is not None}
    if not cues:
        raise InputError(f"the subtitle has no cue with a time and a text (read as {ending})")
    if len(cues) > MAX_CUES:
        raise InputError(f"the subtitle has {len(cues)} cues; {MAX_CUES} are the most")
    return tuple(sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms, cue.text)))


def sniff(text: str) -> str | None:
    """Return the format that the text itself names, or None."""
    head = text[:2000].lstrip().lower()
    if head.startswith("webvtt"):
        return "vtt"
    if head.startswith("<sami"):
        return "sami"
    if head.startswith("[script info]"):
        return "ass"
    return None


def plain_text(text: str) -> str:
    """Return ``text`` on one line, without markup and speakers' dashes."""
    said = html.unescape(_MARKUP.sub("", text))
    return " ".join(_SPEAKER_DASH.sub("", said).split())


def _cue(start_ms: int, end_ms: int, text: str) -> Cue | None:
    said = plain_text(text[: 4 * MAX_TEXT])[:MAX_TEXT].rstrip()
    end = min(end_ms, start_ms + MAX_CUE_MS, MAX_FILM_MS)
    return Cue(start_ms, end, said) if said and 0 <= start_ms < end else None


def _events(text: str, format_name: str) -> Iterable[tuple[int, int, str]]:
    if format_name == "sami":
        return sami.events(text)
    lines = _lines(text)
    if format_name in ("ass", "ssa"):
        return _parsed(filter(_DIALOGUE.match, lines), "ass")
    return _parsed(_timed(lines), format_name)


def _parsed(lines: Iterable[str], format_name: str) -> Iterator[tuple[int, int, str]]:
    # Here, not above: only images that read subtitles have the parser; the API has not.
    import pysubs2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            options = {} if format_name == "ass" else {"keep_html_tags": True}
            text = "\n".join(lines)
            events = pysubs2.SSAFile.from_string(text, format_=format_name, **options).events
        except Exception as error:  # a stranger's file: whatever the parser stumbles over
            raise InputError(f"the subtitle cannot be read: {error}"[:200]) from error
    for event in events:
        if not _DRAWING.search(event.text):
            yield event.start, event.end, _ASS_BREAK.sub("\n", event.text)


def _lines(text: str) -> list[str]:
    return [line[:_MAX_LINE] for line in text.replace("\r\n", "\n").splitlines()]


def _timed(lines: Iterable[str]) -> Iterator[str]:
    """Yield time lines and the lines of text after each, up to the limit, without empty ones."""
    room = 0
    for line in lines:
        if "-->" in line:
            room = _MAX_CUE_LINES
            yield ""
        elif not line.strip():
            # A blank line ends a cue's text; a number or name of the next cue may follow it.
            room = 0
        if room > 0:
            room -= 1
            yield line
