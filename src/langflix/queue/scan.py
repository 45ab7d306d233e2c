"""Keeps the table of the media share's films in step with the share, without Celery.

One scan works at a time.  First all rows are brought in step, in one transaction; then films that
nothing is known of are asked what they are, and each answer is kept at once: a scan may be killed
anywhere, and the next one goes on from there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from langflix.data import films
from langflix.data.engine import session, sole_scanner
from langflix.domain.scan import Seen, decide
from langflix.errors import InputError, LangflixError, MediaError
from langflix.media import ffmpeg, shelf
from langflix.media.share import Share
from langflix.media.storage import VIDEO_ENDINGS
from langflix.queue.work import Doors

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Budget:
    """How many films one scan asks what they are, and for how many seconds it does so at most."""

    films: int = 300
    time_s: float = 45


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan did: numbers of films, of folders that it could not read, and its seconds.

    ``more`` when its budget ended before it had asked all films.
    """

    films: int
    added: int
    changed: int
    removed: int
    probed: int
    left: int
    more: bool
    unread_folders: int
    seconds: float


def scan(doors: Doors, budget: Budget = Budget()) -> Scanned | None:
    """Bring the table in step with the share; None when there is no share or another scan runs.

    A share that is away changes nothing.

    Raises:
        UnavailableError: when the database cannot be reached; what was done by then stays.

    """
    if doors.share is None:
        return None
    with sole_scanner(doors.engine) as mine:
        if not mine:
            log.info("the media share is being scanned", extra={"event": "scan.skipped"})
            return None
        try:
            done = _scan(doors, doors.share, budget)
        except MediaError as error:
            log.warning("no scan", extra={"event": "scan.failed", "reason": str(error)})
            return None
    log.info("media share scanned", extra={"event": "scan.done", **asdict(done)})
    return done


def _scan(doors: Doors, share: Share, budget: Budget) -> Scanned:
    begun = time.monotonic()
    listing = shelf.walk(share.root)
    now = datetime.now(UTC)
    with session(doors.engine) as db:
        plan = decide(listing.films, films.known(db), listing.unread, now)
        films.apply(db, plan, now)
    probed, more = _probe(doors, share, plan.probe, budget) if plan.probe else (0, False)
    return Scanned(
        films=len(listing.films),
        added=len(plan.add),
        changed=len(plan.change),
        removed=len(plan.remove),
        probed=probed,
        left=len(plan.probe) - probed,
        more=more,
        unread_folders=len(listing.unread),
        seconds=round(time.monotonic() - begun, 3),
    )


def _probe(doors: Doors, share: Share, wanted: Sequence[Seen], budget: Budget) -> tuple[int, bool]:
    """Ask films what they are; return how many answers were kept, and whether the budget ended."""
    program, asked, kept = doors.ffmpeg(), 0, 0
    ends = time.monotonic() + budget.time_s
    for film in wanted:
        if asked >= budget.films or time.monotonic() > ends:
            return kept, True
        try:
            answer = _ask(program, share, film)
        except _NotNow as error:
            log.debug("film not asked", extra={"film": film.path, "reason": str(error)})
            continue
        asked += answer.problem != films.FORBIDDEN  # to learn that costs nothing
        with session(doors.engine) as db:
            kept += films.describe(db, film, answer.film, answer.problem)
    return kept, False


class _NotNow(LangflixError):
    """The film went away, changed or cannot be got at; the next scan tells more."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a film is, or why it cannot be read."""

    film: dict[str, Any] | None = None
    problem: str | None = None


def _ask(program: Path, share: Share, film: Seen) -> _Answer:
    """Return what a film is; raises _NotNow, and MediaError when ffmpeg or the share is away."""
    try:
        path = share.file(film.path, VIDEO_ENDINGS)
    except InputError as error:
        raise _NotNow(str(error)) from error
    try:
        answer = _read(program, path)
        status = path.stat()
    except OSError as error:  # the disk's fault, not the film's
        raise _NotNow(str(error.strerror)) from error
    if (status.st_size, shelf.modified_at(status)) != (film.bytes, film.modified):
        raise _NotNow("it is being written to")
    return answer


def _read(program: Path, path: Path) -> _Answer:
    try:
        with path.open("rb") as file:
            file.read(1)
    except PermissionError:
        return _Answer(problem=films.FORBIDDEN)
    try:
        return _Answer(film=ffmpeg.probe(program, path).to_json())
    except InputError as error:
        return _Answer(problem=str(error))
