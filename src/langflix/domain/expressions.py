"""Find the dictionary's expressions in cues and choose the ones most worth a lesson.

The score is open to anyone's inspection: a weighted sum of three parts, each from 0 to 1, and
every expression carries its parts.

* ``level``: how well the expression suits the learner: one level above theirs 1.0, less the
  further it is from there, and less still when it is below;
* ``idiomatic``: how little its words tell of its meaning (idioms 1.0, phrasal verbs 0.6,
  collocations 0.2);
* ``context``: whether the line around it is long enough to explain and short enough to follow.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from langflix.domain import lexicon
from langflix.domain.inflection import verb_forms
from langflix.domain.lexicon import DEFAULT_LEVEL, Entry, Kind, Level
from langflix.domain.similar import similar
from langflix.domain.subtitles import Cue

WEIGHTS: Mapping[str, float] = {"level": 0.5, "idiomatic": 0.3, "context": 0.2}
IDIOMATIC: Mapping[Kind, float] = {"idiom": 1.0, "phrasal verb": 0.6, "collocation": 0.2}
#: Words in a line that explain and can be followed at once.
GOOD_CONTEXT = range(5, 15)
#: Words that ``~`` may stand for.
MAX_GAP = 3
#: By how many levels an expression is above the learner's: how well that suits.
SUITS: Mapping[int, float] = {-1: 0.3, 0: 0.7, 1: 1.0, 2: 0.7, 3: 0.4, 4: 0.2, 5: 0.1}
#: Of an expression's difficulty, what its level makes up; what its words hide makes up the rest.
LEVEL_OF_DIFFICULTY = 0.7

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*['’]?|\d+")
_POSSESSIVES = frozenset({"my", "your", "his", "her", "its", "our", "their", "one's"})
_REFLEXIVES = frozenset(
    {"myself", "yourself", "himself", "herself", "itself", "ourselves", "yourselves"}
    | {"themselves", "oneself"}
)


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression where it was said; times in milliseconds, scores from 0 to 1.

    ``translation`` is of the phrase, in the learner's language, where a scorer gives one.
    """

    phrase: str
    kind: Kind
    level: Level
    said: str
    dialogue: str
    start_ms: int
    end_ms: int
    score: float
    score_parts: Mapping[str, float]
    difficulty: float = 0.0
    similar: tuple[str, ...] = ()
    translation: str | None = None


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int


def find(cues: Iterable[Cue], learner: Level = DEFAULT_LEVEL) -> tuple[Expression, ...]:
    """Return every expression said in ``cues``, in order of time; overlaps go to the longest.

    Args:
        cues: what is said.
        learner: for whose level each is scored.

    """
    return tuple(expression for cue in cues for expression in _in_cue(cue, learner))


def pick(found: Iterable[Expression], limit: int) -> tuple[Expression, ...]:
    """Return the best ``limit`` of ``found``, each phrase once, in order of time."""
    best: dict[str, Expression] = {}
    for expression in found:
        known = best.get(expression.phrase)
        if known is None or expression.score > known.score:
            best[expression.phrase] = expression
    ranked = sorted(best.values(), key=lambda one: (-one.score, one.start_ms, one.phrase))
    return tuple(sorted(ranked[:limit], key=lambda one: (one.start_ms, one.phrase)))


def worth(found: Iterable[Expression], learner: Level) -> tuple[Expression, ...]:
    """Return those of ``found`` that are not far below the learner, or all when none is left."""
    everything = tuple(found)
    return tuple(one for one in everything if _above(one.level, learner) >= -1) or everything


def difficulty(kind: Kind, level: Level) -> float:
    """Return how hard an expression is for anyone, from 0 to 1."""
    of_level = lexicon.LEVELS.index(level) / (len(lexicon.LEVELS) - 1)
    hidden = IDIOMATIC[kind]
    return round(LEVEL_OF_DIFFICULTY * of_level + (1 - LEVEL_OF_DIFFICULTY) * hidden, 3)


def score_parts(
    entry: Entry, words_in_line: int, learner: Level = DEFAULT_LEVEL
) -> dict[str, float]:
    """Return the parts of the score; see the module's text for what each means."""
    if words_in_line in GOOD_CONTEXT:
        context = 1.0
    elif words_in_line < GOOD_CONTEXT.start:
        context = words_in_line / GOOD_CONTEXT.start
    else:
        context = GOOD_CONTEXT.stop / (words_in_line + 1)
    return {
        "level": SUITS.get(_above(entry.level, learner), 0.0),
        "idiomatic": IDIOMATIC[entry.kind],
        "context": round(context, 3),
    }


def total(parts: Mapping[str, float]) -> float:
    """Return the weighted sum of ``parts``, rounded to three digits."""
    return round(sum(WEIGHTS[name] * part for name, part in parts.items()), 3)


def words_in(text: str) -> int:
    """Return how many words a line has."""
    return len(_words(text))


def _above(level: Level, learner: Level) -> int:
    return lexicon.LEVELS.index(level) - lexicon.LEVELS.index(learner)


def _in_cue(cue: Cue, learner: Level) -> Iterable[Expression]:
    words = _words(cue.text)
    for entry, start, end in _without_overlaps(_matches(words)):
        parts = score_parts(entry, len(words), learner)
        yield Expression(
            phrase=entry.phrase,
            kind=entry.kind,
            level=entry.level,
            said=cue.text[words[start].start : words[end - 1].end],
            dialogue=cue.text,
            start_ms=cue.start_ms,
            end_ms=cue.end_ms,
            score=total(parts),
            score_parts=parts,
            difficulty=difficulty(entry.kind, entry.level),
            similar=similar(entry.phrase),
        )


def _words(text: str) -> list[_Word]:
    return [
        _Word(match[0].replace("’", "'").lower(), match.start(), match.end())
        for match in _WORD.finditer(text)
    ]


def _matches(words: Sequence[_Word]) -> Iterable[tuple[Entry, int, int]]:
    index = _by_first_word()
    texts = [word.text for word in words]
    for start, text in enumerate(texts):
        for entry in index.get(text, ()):
            end = _match_end(entry.pattern, texts, start)
            if end is not None:
                yield entry, start, end


def _without_overlaps(
    matches: Iterable[tuple[Entry, int, int]],
) -> list[tuple[Entry, int, int]]:
    kept: list[tuple[Entry, int, int]] = []
    longest_first = sorted(matches, key=lambda m: (-m[0].words, m[2] - m[1], m[1]))
    for entry, start, end in longest_first:
        if all(end <= other_start or start >= other_end for _, other_start, other_end in kept):
            kept.append((entry, start, end))
    return sorted(kept, key=lambda match: match[1])


def _match_end(pattern: Sequence[str], texts: Sequence[str], at: int) -> int | None:
    """Return the index after the match of ``pattern`` at ``at``, taking the shortest gap."""
    if not pattern:
        return at
    head, rest = pattern[0], pattern[1:]
    if head == "~":
        gaps = range(MAX_GAP + 1)
        return next((end for gap in gaps if (end := _match_end(rest, texts, at + gap))), None)
    if at < len(texts) and _word_matches(head, texts[at]):
        return _match_end(rest, texts, at + 1)
    return None


def _word_matches(wanted: str, text: str) -> bool:
    if wanted == "one's":
        return text in _POSSESSIVES or text.endswith("'s")
    if wanted == "oneself":
        return text in _REFLEXIVES
    if wanted.startswith("*"):
        return text in verb_forms(wanted[1:])
    return text == wanted


@cache
def _by_first_word() -> Mapping[str, tuple[Entry, ...]]:
    index: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in lexicon.load():
        head = entry.pattern[0]
        for form in verb_forms(head[1:]) if head.startswith("*") else (head,):
            index[form].append(entry)
    return {word: tuple(entries) for word, entries in index.items()}
