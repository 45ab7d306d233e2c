"""What the tasks do, without Celery: each function takes its doors and can be tested alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select

from langflix.data import jobs, lessons
from langflix.data.engine import session, sole_worker_of
from langflix.data.models import Job, Status
from langflix.domain.lesson import Learner, Scorer
from langflix.errors import InputError, LangflixError, MediaError, UnavailableError
from langflix.media import lesson
from langflix.media.film import Film
from langflix.media.lesson import Places
from langflix.media.share import Share
from langflix.media.storage import (
    ABANDONED_AFTER_S,
    SUBTITLE_ENDINGS,
    VIDEO_ENDINGS,
    Storage,
    Upload,
)
from langflix.scoring.dictionary import Dictionary

log = logging.getLogger(__name__)
#: A PENDING job whose message is gone is given this time before it is called lost.
LOST_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Doors:
    """What the work touches outside itself."""

    engine: Engine
    storage: Storage
    ffmpeg: Callable[[], Path]
    share: Share | None = None
    scorer: Scorer = field(default_factory=Dictionary)


class Unwanted(LangflixError):
    """The job was cancelled or deleted while it ran."""


class HeldElsewhere(LangflixError):
    """Another worker has the job in hand right now."""


def process_job(doors: Doors, job_id: str) -> bool:
    """Bring a job from PENDING to DONE or FAILED; running it again changes nothing.

    Returns:
        whether there was anything to do.

    Raises:
        HeldElsewhere: when another worker has the job in hand.
        UnavailableError: when the database cannot be reached; the job stays as it is.

    """
    with sole_worker_of(doors.engine, job_id) as mine:
        if not mine:
            raise HeldElsewhere(f"job {job_id} is in another worker's hands")
        with session(doors.engine) as db:
            job = jobs.start(db, job_id)
        if job is None:
            log.info("job is over already", extra={"event": "job.skipped"})
            return False
        log.info("job started", extra={"event": "job.started"})
        _finish(doors, job)
        return True


def fail_job(doors: Doors, job_id: str, reason: str) -> None:
    """End a job as FAILED and remove what it had cut."""
    with session(doors.engine) as db:
        jobs.fail(db, job_id, reason)
    doors.storage.remove_clips(job_id)
    log.warning("job failed", extra={"event": "job.failed", "reason": reason})


def remove_expired_uploads(doors: Doors, ttl: timedelta, now: datetime | None = None) -> int:
    """Remove uploads older than ``ttl`` and those that belong to no job; return how many.

    The rows say first that an upload is given up, then the files go: a crash in between leaves
    files of an upload that no row counts on, and the next run removes them.
    """
    moment = now or datetime.now(UTC)
    with session(doors.engine) as db:
        given_up, failed = jobs.expire_uploads(db, before=moment - ttl)
    removed = sum(doors.storage.remove_upload(job_id) for job_id in given_up)
    removed += _remove_orphans(doors, moment.timestamp())
    doors.storage.remove_graves()
    for incoming in doors.storage.abandoned(moment.timestamp()):
        doors.storage.remove_arriving(incoming)
        removed += 1
    log.info(
        "expired uploads removed",
        extra={"event": "uploads.removed", "removed": removed, "failed": failed},
    )
    return removed


def rescue_jobs(
    doors: Doors,
    send: Callable[[str], None],
    waiting: Callable[[], Collection[str]],
    lost_after: timedelta = LOST_AFTER,
) -> int:
    """Queue jobs again that nobody would ever get to; return how many.

    * RUNNING jobs that no living worker holds: a worker that was killed together with its
      container cannot give its message back, and Redis hands it out again only after the
      visibility time-out.
    * PENDING jobs without a message in the queue: it died with the worker that had fetched it, or
      with the server that was about to send it.

    A message too many does no harm: its job is in hand or over when it is read.
    """
    rescued = [*_rescue_running(doors), *_find_lost(doors, waiting, lost_after)]
    for job_id in rescued:
        send(job_id)
        log.warning("job rescued", extra={"event": "job.rescued", "job_id": job_id})
    return len(rescued)


def _rescue_running(doors: Doors) -> list[str]:
    with session(doors.engine) as db:
        running = list(db.scalars(select(Job.id).where(Job.status == Status.RUNNING)))
    rescued = []
    for job_id in running:
        with sole_worker_of(doors.engine, job_id) as mine:
            if not mine:
                continue
            with session(doors.engine) as db:
                if jobs.back_to_pending(db, job_id):
                    rescued.append(job_id)
    return rescued


def _find_lost(
    doors: Doors, waiting: Callable[[], Collection[str]], lost_after: timedelta
) -> list[str]:
    # Rows first: a job that is sent meanwhile is then in the queue, or not among these rows.
    old = (Job.status == Status.PENDING, Job.created_at <= func.now() - lost_after)
    with session(doors.engine) as db:
        pending = list(db.scalars(select(Job.id).where(*old)))
    return sorted(set(pending) - set(waiting())) if pending else []


def _files(doors: Doors, job: Job) -> Upload:
    """Return the job's files: what was uploaded, or where they lie on the media share."""
    if job.media_video is None or job.media_subtitle is None:
        return doors.storage.upload(job.id)
    if doors.share is None:
        raise MediaError("the worker has no media share")
    return Upload(
        doors.share.file(job.media_video, VIDEO_ENDINGS),
        doors.share.file(job.media_subtitle, SUBTITLE_ENDINGS),
    )


def _finish(doors: Doors, job: Job) -> None:
    job_id = job.id
    try:
        upload = _files(doors, job)
        made = lesson.make(
            doors.ffmpeg(),
            upload.video,
            upload.subtitle,
            _places(doors.storage, job_id),
            _progress(doors, job_id),
            doors.scorer,
            Learner.parse(job.level, job.language),
            lambda film: _keep_film(doors, job_id, film),
        )
    except Unwanted:
        _drop(doors, job_id)
        return
    except (InputError, MediaError) as error:
        fail_job(doors, job_id, str(error))
        return
    with session(doors.engine) as db:
        finished = jobs.finish(db, job_id, made.sections, made.note)
    if not finished:
        _drop(doors, job_id)
        return
    log.info("job done", extra={"event": "job.done", "clips": len(made.sections)})


def _keep_film(doors: Doors, job_id: str, film: Film) -> None:
    with session(doors.engine) as db:
        jobs.set_film(db, job_id, film.to_json())


def _places(storage: Storage, job_id: str) -> Places:
    return Places(
        lambda position: storage.clip(job_id, lessons.clip_id_of(job_id, position)),
        storage.lesson(job_id),
        storage.short(job_id),
    )


def _drop(doors: Doors, job_id: str) -> None:
    """End a job that was cancelled while it ran, or clear up after one that was deleted."""
    with session(doors.engine) as db:
        jobs.fail(db, job_id, jobs.CANCELLED)
    doors.storage.remove_clips(job_id)
    log.info("job was cancelled or deleted", extra={"event": "job.dropped"})


def _progress(doors: Doors, job_id: str) -> Callable[[int], None]:
    def record(per_cent: int) -> None:
        try:
            with session(doors.engine) as db:
                wanted = jobs.set_progress(db, job_id, per_cent)
        except UnavailableError as error:
            # Progress is a courtesy: the work goes on, and its end tells whether rows can be kept.
            log.warning("progress not recorded", extra={"reason": str(error)})
            return
        if not wanted:
            raise Unwanted(f"job {job_id} was cancelled or deleted")

    return record


def _remove_orphans(doors: Doors, now: float) -> int:
    """Remove uploads and clips without a row, left by a crash between the two."""
    lying = [
        job_id
        for job_id in {*doors.storage.uploaded_jobs(), *doors.storage.clipped_jobs()}
        if doors.storage.age_s(job_id, now) > ABANDONED_AFTER_S
    ]
    with session(doors.engine) as db:
        orphans = set(lying) - jobs.known(db, lying)
    removed = sum(doors.storage.remove_upload(job_id) for job_id in orphans)
    return removed + sum(doors.storage.remove_clips(job_id) for job_id in orphans)
