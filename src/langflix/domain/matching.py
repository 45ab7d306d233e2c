"""Where the dictionary's expressions are said in a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from langflix.domain.inflection import verb_forms
from langflix.domain.lexicon import GAP, PRONOUN, Entry, Lexicon

#: Words that ``~`` may stand for.
MAX_GAP = 3

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*['’]?|\d+")
_SENTENCE_END = re.compile(r"[.!?…:\"“”\-—]\s*$")
_POSSESSIVES = frozenset({"my", "your", "his", "her", "its", "our", "their", "one's"})
_REFLEXIVES = frozenset(
    {"myself", "yourself", "himself", "herself", "itself", "ourselves", "yourselves"}
    | {"themselves", "oneself"}
)
_PRONOUNS = _REFLEXIVES | frozenset(
    {"me", "you", "him", "her", "it", "us", "them", "this", "that", "these", "those", "one"}
    | {"everything", "something", "anything", "everyone", "someone", "everybody", "somebody"}
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line, in lower case, and where it stands; ``name`` when it looks like one."""

    text: str
    start: int
    end: int
    name: bool


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that is said by the words from ``start`` up to ``end``."""

    entry: Entry
    start: int
    end: int


def words(text: str) -> list[Word]:
    """Return the words of a line; typographic apostrophes become plain ones."""
    return [
        Word(
            match[0].replace("’", "'").lower(),
            match.start(),
            match.end(),
            _is_name(match[0], text[: match.start()]),
        )
        for match in _WORD.finditer(text)
    ]


def matches(line: Sequence[Word], lexicon: Lexicon) -> list[Match]:
    """Return what is said in a line, in its order; overlaps go to the longest."""
    texts = [word.text for word in line]
    found = (
        Match(entry, start, end)
        for start, text in enumerate(texts)
        for entry in lexicon.by_first_word.get(text, ())
        if (end := _end(entry.pattern, texts, start)) is not None
    )
    return _without_overlaps(found)


def _is_name(word: str, before: str) -> bool:
    """Say whether a word is written as a name is: large, and not because a sentence begins."""
    if not word[0].isupper() or word == "I" or word.startswith(("I'", "I’")):
        return False
    return bool(before.strip()) and not _SENTENCE_END.search(before)


def _without_overlaps(found: Iterable[Match]) -> list[Match]:
    kept: list[Match] = []
    longest_first = sorted(
        found, key=lambda one: (-len(one.entry.words), one.end - one.start, one.start)
    )
    for one in longest_first:
        if all(one.end <= other.start or one.start >= other.end for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)


def _end(pattern: Sequence[str], texts: Sequence[str], at: int) -> int | None:
    """Return the index after the match of ``pattern`` at ``at``, taking the shortest gap."""
    if not pattern:
        return at
    head, rest = pattern[0], pattern[1:]
    if head == GAP:
        gaps = range(MAX_GAP + 1)
        return next((end for gap in gaps if (end := _end(rest, texts, at + gap))), None)
    if head == PRONOUN:
        if (end := _end(rest, texts, at)) is not None:
            return end
        return _end(rest, texts, at + 1) if at < len(texts) and texts[at] in _PRONOUNS else None
    if at < len(texts) and _fits(head, texts[at]):
        return _end(rest, texts, at + 1)
    return None


def _fits(wanted: str, text: str) -> bool:
    if wanted == "one's":
        return text in _POSSESSIVES or text.endswith("'s")
    if wanted == "oneself":
        return text in _REFLEXIVES
    if wanted.startswith("*"):
        return text in verb_forms(wanted[1:])
    return text == wanted
