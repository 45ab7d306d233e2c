"""Find a dictionary's expressions in cues and choose the ones most worth a lesson.

The score is open to anyone's inspection: a weighted sum of four parts, each from 0 to 1, and
every expression carries its parts.

* ``level``: how well the expression suits the learner: one level above theirs 1.0, less the
  further it is from there, and less still when it is below;
* ``idiomatic``: how little its words tell of its meaning (idioms 1.0, phrasal verbs 0.6,
  collocations 0.2);
* ``words``: the share of the line's other words that are frequent enough for the learner to know
  them, so that the expression is what is new in it;
* ``context``: whether the line around it is long enough to explain and short enough to follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from langflix.domain import lexicon, matching
from langflix.domain.frequency import known_share, rarest
from langflix.domain.lexicon import DEFAULT_LEVEL, Kind, Level, Lexicon
from langflix.domain.similar import MAX_SIMILAR, similar
from langflix.domain.subtitles import Cue

WEIGHTS: Mapping[str, float] = {"level": 0.4, "idiomatic": 0.25, "words": 0.2, "context": 0.15}
IDIOMATIC: Mapping[Kind, float] = {"idiom": 1.0, "phrasal verb": 0.6, "collocation": 0.2}
#: Words in a line that explain and can be followed at once.
GOOD_CONTEXT = range(5, 15)
#: By how many levels an expression is above the learner's: how well that suits.
SUITS: Mapping[int, float] = {-1: 0.3, 0: 0.7, 1: 1.0, 2: 0.7, 3: 0.4, 4: 0.2, 5: 0.1}
#: What an expression's difficulty is made of.
OF_LEVEL, OF_MEANING, OF_RARITY = 0.6, 0.2, 0.2
#: Zipf values of words that are not rare at all, and as rare as can be.
COMMON, RARE = 5.5, 2.5


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression where it was said; times in milliseconds, scores from 0 to 1.

    ``meaning`` is in English, ``translation`` in the learner's language: of the phrase, where a
    dictionary or a scorer gives one.
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
    meaning: str | None = None


def find(
    cues: Iterable[Cue], learner: Level = DEFAULT_LEVEL, known: Lexicon | None = None
) -> tuple[Expression, ...]:
    """Return every expression said in ``cues``, in order of time; overlaps go to the longest.

    Args:
        cues: what is said.
        learner: for whose level each is scored.
        known: the dictionary; our own small one when None.

    """
    used = known or lexicon.load()
    return tuple(expression for cue in cues for expression in _in_cue(cue, learner, used))


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


def difficulty(kind: Kind, level: Level, words: Iterable[str]) -> float:
    """Return how hard an expression is for anyone, from 0 to 1.

    Args:
        kind: idioms hide their meaning most.
        level: of the expression.
        words: its words in lower case; the rarest counts.

    """
    of_level = lexicon.LEVELS.index(level) / (len(lexicon.LEVELS) - 1)
    rarity = (COMMON - min(COMMON, rarest(words))) / (COMMON - RARE)
    parts = OF_LEVEL * of_level + OF_MEANING * IDIOMATIC[kind] + OF_RARITY * min(1.0, rarity)
    return round(parts, 3)


def rate(kind: Kind, level: Level, dialogue: str, said: str, learner: Level) -> dict[str, float]:
    """Return the parts of the score; see the module's text for what each means.

    Args:
        kind: of the expression.
        level: of the expression.
        dialogue: the line that it is said in.
        said: its words there.
        learner: the learner's level.

    """
    line = matching.words(dialogue)
    own = {word.text for word in matching.words(said)}
    others = [
        word.text.removesuffix("'s")
        for word in line
        if word.text not in own and not word.name and not word.text.isdigit()
    ]
    return {
        "level": SUITS.get(_above(level, learner), 0.0),
        "idiomatic": IDIOMATIC[kind],
        "words": round(known_share(others, learner), 3),
        "context": round(_context(len(line)), 3),
    }


def total(parts: Mapping[str, float]) -> float:
    """Return the weighted sum of ``parts``, rounded to three digits."""
    return round(sum(WEIGHTS[name] * part for name, part in parts.items()), 3)


def _context(words: int) -> float:
    if words in GOOD_CONTEXT:
        return 1.0
    if words < GOOD_CONTEXT.start:
        return words / GOOD_CONTEXT.start
    return GOOD_CONTEXT.stop / (words + 1)


def _above(level: Level, learner: Level) -> int:
    return lexicon.LEVELS.index(level) - lexicon.LEVELS.index(learner)


def _in_cue(cue: Cue, learner: Level, known: Lexicon) -> Iterable[Expression]:
    line = matching.words(cue.text)
    for match in matching.matches(line, known):
        entry = match.entry
        said = cue.text[line[match.start].start : line[match.end - 1].end]
        parts = rate(entry.kind, entry.level, cue.text, said, learner)
        kin = dict.fromkeys((*similar(entry.phrase), *entry.similar))
        yield Expression(
            phrase=entry.phrase,
            kind=entry.kind,
            level=entry.level,
            said=said,
            dialogue=cue.text,
            start_ms=cue.start_ms,
            end_ms=cue.end_ms,
            score=total(parts),
            score_parts=parts,
            difficulty=difficulty(entry.kind, entry.level, entry.words),
            similar=tuple(kin)[:MAX_SIMILAR],
            meaning=entry.meaning,
        )
