"""The dictionary of expressions, read from ``lexicon.tsv`` beside this file.

A line is ``kind TAB level TAB phrase``; ``#`` starts a comment.  ``level`` is of the Common
European Framework (A1 to C2), our own judgement.  In a phrase

* ``*word`` takes every form of the verb ``word``,
* ``~`` stands for up to three words (the object in "turn the light off"),
* ``one's`` stands for any possessive (my, your, John's), ``oneself`` for myself, yourself, …,
* any other word stands for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

Kind = Literal["phrasal verb", "idiom", "collocation"]
Level = Literal["A1", "A2", "B1", "B2", "C1", "C2"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS: tuple[Level, ...] = get_args(Level)
#: Whom a lesson is for when nobody says.
DEFAULT_LEVEL: Level = "B1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One expression of the dictionary; ``pattern`` is its phrase, split at blanks."""

    kind: Kind
    level: Level
    pattern: tuple[str, ...]

    @property
    def words(self) -> int:
        """Return how many words it has, without gaps."""
        return sum(word != "~" for word in self.pattern)

    @property
    def phrase(self) -> str:
        """Return it as a dictionary prints it: "put up with", "turn … off"."""
        return " ".join(self.pattern).replace("*", "").replace("~", "…")


@cache
def load() -> tuple[Entry, ...]:
    """Return the dictionary's entries in the file's order."""
    return parse(files(__package__).joinpath("lexicon.tsv").read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Entry, ...]:
    """Parse a dictionary; raises ValueError with the number of a wrong or repeated line."""
    entries: dict[tuple[str, ...], Entry] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        entry = _entry(number, line)
        if entry.pattern in entries:
            raise ValueError(f"line {number}: {entry.phrase!r} is there twice")
        entries[entry.pattern] = entry
    return tuple(entries.values())


def _entry(number: int, line: str) -> Entry:
    fields = line.split("\t")
    if len(fields) != 3:
        raise ValueError(f"line {number}: three fields wanted, got {len(fields)}")
    kind = next((known for known in KINDS if known == fields[0]), None)
    level = next((known for known in LEVELS if known == fields[1]), None)
    pattern = tuple(fields[2].split())
    if kind is None or level is None or len(pattern) < 2 or "~" in (pattern[0], pattern[-1]):
        raise ValueError(f"line {number}: {line!r} is not kind, level, phrase of two words or more")
    return Entry(kind, level, pattern)
