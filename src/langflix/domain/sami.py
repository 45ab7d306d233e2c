"""SAMI, the subtitle format of older Korean players (``.smi``).

A ``<SYNC Start=N>`` begins what is shown from millisecond N on, and the next one ends it; an empty
paragraph (``&nbsp;``) clears the screen.  A file may hold several languages, each in paragraphs
``<P Class=…>``.  pysubs2 guesses ends from the length of the text and mixes the languages up, so
this reads the format itself.  Every pattern is bounded: no file takes more than linear time.

Source: Microsoft, "Understanding SAMI 1.0" (2003).
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable

#: What the last line of a file is shown for when nothing ends it, in milliseconds.
LAST_MS = 5000
#: What one paragraph says, in characters with markup; the rest is left out.
MAX_BODY = 4000

_SYNC = re.compile(r"<\s{0,9}sync\b([^<>]{0,200})>", re.IGNORECASE)
_START = re.compile(r"start\s{0,9}=\s{0,9}[\"']?\s{0,9}(\d{1,9})", re.IGNORECASE)
_PARAGRAPH = re.compile(r"<\s{0,9}p\b([^<>]{0,200})>", re.IGNORECASE)
_CLASS = re.compile(r"class\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w-]{1,40})", re.IGNORECASE)
_BREAK = re.compile(r"<\s{0,9}br\b[^<>]{0,40}>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
#: What learners read: English wherever a file has it.
_ENGLISH = re.compile(r"^(?:en|eg|us|uk)", re.IGNORECASE)


def events(text: str) -> list[tuple[int, int, str]]:
    """Return (start, end, text with markup) of the file's English, or of its main language."""
    shown = list(_shown(text))
    languages = Counter(language for _, language, said in shown if said)
    english = [language for language in languages if _ENGLISH.match(language)]
    wanted = (english or [language for language, _ in languages.most_common(1)] or [""])[0]
    mine = [(start, said) for start, language, said in shown if language in (wanted, "*")]
    mine.sort(key=lambda one: one[0])
    found = []
    for number, (start, said) in enumerate(mine):
        later = (other for other, _ in mine[number + 1 : number + 9] if other > start)
        if said:
            found.append((start, next(later, start + LAST_MS), said))
    return found


def _shown(text: str) -> Iterable[tuple[int, str, str]]:
    """Yield (start, language, text) of each paragraph; ``*`` is an empty one of no language."""
    syncs = list(_SYNC.finditer(text))
    for number, sync in enumerate(syncs):
        start = _START.search(sync[1])
        if start is None:
            continue
        end = syncs[number + 1].start() if number + 1 < len(syncs) else len(text)
        for language, body in _paragraphs(text[sync.end() : end]):
            said = _BREAK.sub("\n", body[:MAX_BODY])
            empty = not html.unescape(_TAG.sub("", said)).strip()
            yield int(start[1]), "*" if empty and not language else language, "" if empty else said


def _paragraphs(body: str) -> Iterable[tuple[str, str]]:
    marks = list(_PARAGRAPH.finditer(body))
    if not marks:
        yield "", body
    for number, mark in enumerate(marks):
        end = marks[number + 1].start() if number + 1 < len(marks) else len(body)
        language = _CLASS.search(mark[1])
        yield language[1].upper() if language else "", body[mark.end() : end]
