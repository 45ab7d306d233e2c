"""Expressions that mean nearly the same, read from ``similar.tsv`` beside this file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

#: A learner is shown no more of them.
MAX_SIMILAR = 4


def similar(phrase: str) -> tuple[str, ...]:
    """Return expressions that mean nearly what ``phrase`` does, the nearest first; maybe none."""
    return _index().get(phrase, ())


def groups(text: str) -> list[tuple[str, ...]]:
    """Parse groups of a file; raises ValueError with the number of a wrong line."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        group = tuple(phrase.strip() for phrase in line.split(";"))
        if len(group) < 2 or not all(group) or len(set(group)) < len(group):
            raise ValueError(f"line {number}: {line!r} is not two different phrases or more")
        found.append(group)
    return found


@cache
def load() -> tuple[tuple[str, ...], ...]:
    """Return the file's groups in its order."""
    text = files(__package__).joinpath("similar.tsv").read_text(encoding="utf-8")
    return tuple(groups(text))


@cache
def _index() -> Mapping[str, tuple[str, ...]]:
    index: defaultdict[str, list[str]] = defaultdict(list)
    for group in load():
        for phrase in group:
            index[phrase] += [other for other in group if other != phrase]
    return {phrase: tuple(dict.fromkeys(others))[:MAX_SIMILAR] for phrase, others in index.items()}
