"""Which subtitle belongs to a film, by the names of files.  Pure: names in, names out.

A subtitle is a film's when it is called as the film is, with tags between name and ending that tell
its language: ``Film.srt``, ``Film.en.srt``, ``Film.eng.sdh.vtt``.  English is preferred, for the
film's own language is what a lesson teaches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

#: Folders beside a film that may hold its subtitle.
FOLDERS = frozenset({"subs", "sub", "subtitles"})

_ENGLISH = frozenset({"en", "eng", "english"})
_LANGUAGE = re.compile(
    r"[a-z]{2,3}(?:[-_][a-z]{2,4})?"
    r"|arabic|chinese|danish|dutch|english|finnish|french|german|italian|japanese|korean"
    r"|norwegian|polish|portuguese|russian|spanish|swedish|turkish"
)
#: A forced subtitle has only what is said in another language than the film's.
_FORCED = "forced"
_QUALITIES = frozenset({_FORCED, "sdh", "hi", "cc", "full", "default", "utf8", "utf-8"})
#: The better a format keeps times and text, the earlier.
_ENDINGS = (".srt", ".vtt", ".ass", ".ssa", ".smi")


def match(films: Iterable[str], subtitles: Iterable[str]) -> dict[str, str]:
    """Return the best subtitle of each film that has one.

    Args:
        films: names of a folder's films.
        subtitles: subtitles that may be theirs, as paths from that folder.

    """
    stems: dict[str, list[str]] = {}
    for film in films:
        stems.setdefault(_stem(film), []).append(film)
    best: dict[str, tuple[int, int, int, str]] = {}
    for path in subtitles:
        stem, tags = _stem(path), list[str]()
        while stem not in stems and "." in stem:  # the longest name that fits is the film's
            stem, _, tag = stem.rpartition(".")
            tags.append(tag)
        if stem in stems and (rank := _rank(tags)) is not None:
            one = (rank, path.count("/"), _ending(path), path)
            best[stem] = min(best.get(stem, one), one)
    return {film: one[-1] for stem, one in best.items() for film in stems[stem]}


def _rank(tags: Sequence[str]) -> int | None:
    """Return how good a subtitle with these tags is, least first; None when they tell nothing."""
    languages = [tag for tag in tags if tag not in _QUALITIES]
    if len(languages) > 1 or not all(map(_LANGUAGE.fullmatch, languages)):
        return None
    if _FORCED in tags:
        return 3
    if not languages:
        return 1
    return 0 if re.split("[-_]", languages[0])[0] in _ENGLISH else 2


def _stem(path: str) -> str:
    return PurePosixPath(path).stem.casefold()


def _ending(path: str) -> int:
    ending = PurePosixPath(path).suffix.lower()
    return _ENDINGS.index(ending) if ending in _ENDINGS else len(_ENDINGS)
