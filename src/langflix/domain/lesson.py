"""From cues to a lesson: which expressions, and which part of the film shows each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from langflix.domain.expressions import Expression, find, pick, worth
from langflix.domain.lexicon import DEFAULT_LEVEL, LEVELS, Level, Lexicon
from langflix.domain.subtitles import Cue
from langflix.errors import InputError

#: Shown before and after the cue, so that speech is not cut off.
LEAD_MS = 700
TAIL_MS = 700
#: No clip is longer, whatever the subtitle claims.
MAX_CLIP_MS = 30_000
#: How many expressions a lesson has at most.
MAX_EXPRESSIONS = 20
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class Section:
    """One expression and the part of the film that shows it (milliseconds from its start)."""

    position: int
    expression: Expression
    clip_start_ms: int
    clip_end_ms: int

    def to_json(self) -> dict[str, object]:
        """Return it as JSON-ready data."""
        return {
            "position": self.position,
            **asdict(self.expression),
            "clip_start_ms": self.clip_start_ms,
            "clip_end_ms": self.clip_end_ms,
        }


@dataclass(frozen=True, slots=True)
class Learner:
    """Whom a lesson is for: their level, and the language that they speak (ISO 639-1)."""

    level: Level = DEFAULT_LEVEL
    language: str = "ko"

    @classmethod
    def parse(cls, level: str, language: str) -> Learner:
        """Return the learner; raises InputError for a level or a language that is none."""
        known = next((one for one in LEVELS if one == level.upper()), None)
        if known is None:
            raise InputError(f"a level is one of {', '.join(LEVELS)}, not {level!r}")
        if not _LANGUAGE.fullmatch(language):
            raise InputError(
                f"a language is two or three small letters such as ko, not {language!r}"
            )
        return cls(known, language)


#: Whom a lesson is for when nobody says.
ANYONE = Learner()
#: Gives the candidates of a lesson, and a remark for the job's owner or None.
Scorer = Callable[[Sequence[Cue], Learner], tuple[Sequence[Expression], str | None]]


def local(
    cues: Sequence[Cue], learner: Learner, known: Lexicon | None = None
) -> tuple[Expression, ...]:
    """Return the candidates of a lesson by a dictionary alone, in order of time.

    Args:
        cues: what is said.
        learner: whom the lesson is for.
        known: the dictionary; our own small one when None.

    """
    return worth(find(cues, learner.level, known), learner.level)


def inside(cues: Sequence[Cue], film_ms: int) -> tuple[Cue, ...]:
    """Return the cues that begin within the film.

    Raises:
        InputError: when none does, so subtitle and film do not belong together.

    """
    found = tuple(cue for cue in cues if cue.start_ms < film_ms)
    if not found:
        first = min((cue.start_ms for cue in cues), default=0)
        raise InputError(
            f"the film lasts {film_ms / 1000:.1f} s but its subtitle starts at "
            f"{first / 1000:.1f} s: they do not belong together"
        )
    return found


def plan(
    cues: Sequence[Cue],
    film_ms: int,
    limit: int = MAX_EXPRESSIONS,
    learner: Learner = ANYONE,
    candidates: Sequence[Expression] | None = None,
) -> tuple[Section, ...]:
    """Choose the lesson's expressions and their clips; the same input gives the same lesson.

    Args:
        cues: the subtitle, in order of time.
        film_ms: the film's length in milliseconds.
        limit: at most this many expressions.
        learner: whom it is for.
        candidates: what to choose from; by default what the dictionary finds.

    Raises:
        InputError: when no cue lies inside the film, so the two do not belong together.

    """
    spoken = inside(cues, film_ms)
    chosen = pick(local(spoken, learner) if candidates is None else candidates, limit)
    return tuple(_sections(chosen, film_ms))


def window(start_ms: int, end_ms: int, film_ms: int) -> tuple[int, int]:
    """Return a cue's clip: with lead and tail, inside the film, never too long or empty."""
    start = max(0, start_ms - LEAD_MS)
    end = min(film_ms, end_ms + TAIL_MS, start + MAX_CLIP_MS)
    return start, max(end, start + 1)


def _sections(chosen: Iterable[Expression], film_ms: int) -> Iterable[Section]:
    for position, expression in enumerate(chosen):
        start, end = window(expression.start_ms, expression.end_ms, film_ms)
        yield Section(position, expression, start, end)
