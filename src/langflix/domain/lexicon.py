"""A dictionary of expressions; the small one of our own is ``lexicon.tsv`` beside this file.

A line of it is ``kind TAB level TAB phrase``; ``#`` starts a comment.  ``level`` is of the Common
European Framework (A1 to C2), our own judgement.  In a phrase

* ``*word`` takes every form of the verb ``word``,
* ``~`` stands for up to three words (the object in "turn the light off"),
* ``_`` stands for one pronoun (the object in "turn it off") or for nothing,
* ``one's`` stands for any possessive (my, your, John's), ``oneself`` for myself, yourself, …,
* any other word stands for itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from langflix.domain.inflection import verb_forms

Kind = Literal["phrasal verb", "idiom", "collocation"]
Level = Literal["A1", "A2", "B1", "B2", "C1", "C2"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS: tuple[Level, ...] = get_args(Level)
#: Whom a lesson is for when nobody says.
DEFAULT_LEVEL: Level = "B1"
#: What stands for other words, or for none.
GAP, PRONOUN = "~", "_"


@dataclass(frozen=True, slots=True)
class Entry:
    """One expression of the dictionary; ``pattern`` is its phrase, split at blanks.

    ``meaning`` is a definition in English, ``similar`` are expressions that mean nearly the same.
    """

    kind: Kind
    level: Level
    pattern: tuple[str, ...]
    meaning: str | None = None
    similar: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """Return its words in their base form, without what stands for others."""
        return tuple(word.removeprefix("*") for word in self.pattern if word not in (GAP, PRONOUN))

    @property
    def phrase(self) -> str:
        """Return it as a dictionary prints it: "put up with", "turn … off"."""
        shown = (word.removeprefix("*") for word in self.pattern if word != PRONOUN)
        return " ".join(shown).replace(GAP, "…")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Entries, and where to look for those that begin with a word that was said."""

    entries: tuple[Entry, ...]
    by_first_word: Mapping[str, tuple[Entry, ...]]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Lexicon:
        """Index entries by every form of their first word."""
        kept = tuple(entries)
        index: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in kept:
            head = entry.pattern[0]
            for form in verb_forms(head[1:]) if head.startswith("*") else (head,):
                index[form].append(entry)
        return cls(kept, {word: tuple(found) for word, found in index.items()})

    def over(self, other: Iterable[Entry], plain: Iterable[Entry] = ()) -> Lexicon:
        """Return this dictionary with what only the other knows.

        Of an expression that both know, ours stays, with the other's meaning and more of its kin.

        Args:
            other: what is added.
            plain: what is not, but tells of ours all the same.

        """
        added = {entry.words: entry for entry in other}
        theirs = {entry.words: entry for entry in plain} | added
        ours = [_richer(entry, theirs.get(entry.words)) for entry in self.entries]
        for entry in ours:
            added.pop(entry.words, None)
        return Lexicon.of([*ours, *added.values()])


def _richer(ours: Entry, theirs: Entry | None) -> Entry:
    if theirs is None:
        return ours
    kin = tuple(dict.fromkeys((*ours.similar, *theirs.similar)))
    return replace(ours, meaning=ours.meaning or theirs.meaning, similar=kin)


@cache
def load() -> Lexicon:
    """Return our own dictionary."""
    return Lexicon.of(parse(files(__package__).joinpath("lexicon.tsv").read_text(encoding="utf-8")))


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
    if kind is None or level is None or len(pattern) < 2 or GAP in (pattern[0], pattern[-1]):
        raise ValueError(f"line {number}: {line!r} is not kind, level, phrase of two words or more")
    return Entry(kind, level, pattern)
