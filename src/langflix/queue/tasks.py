"""The tasks' thin outside: what Celery does around :mod:`langflix.queue.work`."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from celery import Celery, Task

from langflix import logs
from langflix.data.engine import connect
from langflix.errors import UnavailableError
from langflix.media import ffmpeg
from langflix.media.share import Share
from langflix.media.storage import Storage
from langflix.queue import app as queue
from langflix.queue import counts, scan, work
from langflix.scoring import gemini
from langflix.settings import Settings

#: While the database is away, look again this often, for about an hour.
DATABASE_RETRY_S = 15
DATABASE_RETRIES = 240


def register(app: Celery, settings: Settings) -> None:
    """Define the tasks on ``app``."""

    scorer = gemini.choose(os.environ)

    @cache
    def doors() -> work.Doors:
        # First asked in the worker's child, so no connection is shared across a fork.
        return work.Doors(
            engine=connect(settings.need_database(), pool_size=2),
            storage=Storage(settings.data_dir),
            ffmpeg=lambda: ffmpeg.program(settings.ffmpeg),
            share=Share(settings.media_dir) if settings.media_dir else None,
            scorer=scorer,
        )

    @cache
    def count() -> counts.Counts:
        return counts.Counts.at(settings.need_redis())

    @app.task(name=queue.PROCESS_JOB, bind=True)
    def process_job(self: Task[[str], None], job_id: str) -> None:
        with logs.about_job(job_id, getattr(self.request, queue.REQUEST_ID, None)):
            if _process(self, doors(), job_id):
                counts.note_end(doors().engine, count(), job_id)

    @app.task(name=queue.REMOVE_EXPIRED)
    def remove_expired_uploads() -> None:
        work.remove_expired_uploads(doors(), settings.upload_ttl)

    @app.task(name=queue.RESCUE_JOBS)
    def rescue_jobs() -> None:
        work.rescue_jobs(
            doors(), lambda job_id: queue.send_job(app, job_id), lambda: queue.waiting_jobs(app)
        )

    @app.task(
        name=queue.SCAN_MEDIA,
        soft_time_limit=queue.SCAN_SOFT_TIME_LIMIT_S,
        time_limit=queue.SCAN_TIME_LIMIT_S,
    )
    def scan_media() -> None:
        done = scan.scan(doors())
        if done is not None:
            counts.note_scan(count(), done.seconds)
            if done.more and settings.scan_every:
                # Behind what else waits, so that a large share holds up no housekeeping.
                scan_media.apply_async(expires=settings.scan_every.total_seconds())


def _process(task: Task[[str], None], doors: work.Doors, job_id: str) -> bool:
    """Do the work; say whether this run was the one that ended the job."""
    try:
        return work.process_job(doors, job_id)
    except work.HeldElsewhere:
        # Should the holder die, the sweep for stale jobs finds the job; this message is spare.
        work.log.info("job is in hand already", extra={"event": "job.held"})
        return False
    except UnavailableError as error:
        raise _again(task, error, DATABASE_RETRY_S, DATABASE_RETRIES) from error
    except SoftTimeLimitExceeded:
        hours = queue.SOFT_TIME_LIMIT_S / 3600
        work.fail_job(doors, job_id, f"the job was ended after {hours:.0f} hours")
    except Exception:
        work.log.exception("job ended by a defect", extra={"event": "job.defect"})
        work.fail_job(doors, job_id, "an unexpected error ended the job; the logs have its trace")
    return True


def _again(task: Task[[str], None], error: Exception, after_s: int, times: int) -> Any:
    return task.retry(exc=error, countdown=after_s, max_retries=times)
