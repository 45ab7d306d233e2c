"""From cues to a lesson: which expressions, and which part of the film shows each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from langflix.domain.expressions import Expression, find, pick
from langflix.domain.subtitles import Cue
from langflix.errors import InputError

#: Shown before and after the cue, so that speech is not cut off.
LEAD_MS = 700
TAIL_MS = 700
#: No clip is longer, whatever the subtitle claims.
MAX_CLIP_MS = 30_000
#: How many expressions a lesson has at most.
MAX_EXPRESSIONS = 20


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


def plan(cues: Sequence[Cue], film_ms: int, limit: int = MAX_EXPRESSIONS) -> tuple[Section, ...]:
    """Choose the lesson's expressions and their clips; the same input gives the same lesson.

    Args:
        cues: the subtitle, in order of time.
        film_ms: the film's length in milliseconds.
        limit: at most this many expressions.

    Raises:
        InputError: when no cue lies inside the film, so the two do not belong together.

    """
    inside = [cue for cue in cues if cue.start_ms < film_ms]
    if not inside:
        first = min((cue.start_ms for cue in cues), default=0)
        raise InputError(
            f"the film lasts {film_ms / 1000:.1f} s but its subtitle starts at "
            f"{first / 1000:.1f} s: they do not belong together"
        )
    chosen = pick(find(inside), limit)
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
