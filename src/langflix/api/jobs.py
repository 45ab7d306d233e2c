"""Jobs: list, get, cancel, retry, delete, and what came out of one."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from langflix.api import schemas
from langflix.api.problems import Problem, described
from langflix.api.services import Given
from langflix.data import jobs, lessons, models
from langflix.data.engine import session
from langflix.errors import UnavailableError
from langflix.queue.app import send_job

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
log = logging.getLogger(__name__)

_MISSING = described(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
_CONFLICT = _MISSING | described(HTTPStatus.CONFLICT)


@router.get("", responses=described(HTTPStatus.UNPROCESSABLE_ENTITY))
def listing(
    services: Given,
    q: schemas.SearchText = "",
    status: Annotated[schemas.StatusName | None, Query()] = None,
    limit: schemas.Limit = 50,
    offset: schemas.Offset = 0,
) -> schemas.JobPage:
    """Return jobs, newest first: those of a status, and with ``q`` in title or file name."""
    only = jobs.Filter(models.Status(status) if status else None, q)
    with session(services.engine) as db:
        page = jobs.page(db, limit, offset, only)
        found = [schemas.Job.of(job) for job in page.jobs]
    return schemas.JobPage(jobs=found, total=page.total, limit=limit, offset=offset)


@router.get("/{job_id}", responses=_MISSING)
def get(job_id: UUID, services: Given) -> schemas.Job:
    """Return one job."""
    with session(services.engine) as db:
        return schemas.Job.of(_found(jobs.get(db, str(job_id))))


@router.get("/{job_id}/expressions", responses=_MISSING)
def expressions(job_id: UUID, services: Given) -> schemas.Expressions:
    """Return the job's expressions; none before it is DONE."""
    with session(services.engine) as db:
        _found(jobs.get(db, str(job_id)))
        rows = lessons.expressions(db, str(job_id))
        return schemas.Expressions(expressions=[schemas.Expression.of(row) for row in rows])


@router.get("/{job_id}/clips", responses=_MISSING)
def clips(job_id: UUID, services: Given) -> schemas.Clips:
    """Return the job's clips; none before it is DONE."""
    with session(services.engine) as db:
        _found(jobs.get(db, str(job_id)))
        rows = lessons.clips(db, str(job_id))
        return schemas.Clips(clips=[schemas.Clip.of(row) for row in rows])


@router.post("/{job_id}/cancel", responses=_CONFLICT)
def cancel(job_id: UUID, services: Given) -> schemas.Job:
    """End a job that has not ended; a RUNNING one ends within seconds."""
    with session(services.engine) as db:
        row = _found(jobs.cancel(db, str(job_id)))
        if not row.cancel_requested:
            raise Problem(HTTPStatus.CONFLICT, f"the job is {row.status} already")
        return schemas.Job.of(row)


@router.post("/{job_id}/retry", status_code=HTTPStatus.ACCEPTED, responses=_CONFLICT)
def retry(job_id: UUID, services: Given) -> schemas.Job:
    """Queue a FAILED job again, as long as its upload is kept."""
    with session(services.engine) as db:
        row, changed = jobs.retry(db, str(job_id))
        job = schemas.Job.of(_found(row))
    if not changed:
        why = "its upload has expired" if job.status == "FAILED" else f"it is {job.status}"
        raise Problem(HTTPStatus.CONFLICT, f"the job cannot be tried again: {why}")
    try:
        send_job(services.celery, job.id)
    except UnavailableError as error:  # the sweep for jobs without a message sends it
        log.warning("retry waits for the queue", extra={"job_id": job.id, "reason": str(error)})
    return job


@router.delete(
    "/{job_id}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=_MISSING,
)
def delete(job_id: UUID, services: Given) -> Response:
    """Delete a job with its lesson and files; a running one is ended.

    The row goes first: after a crash in between files lie there that no row counts on, and the
    periodic clean-up removes them.
    """
    with session(services.engine) as db:
        there = jobs.remove(db, str(job_id))
    if not there:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such job")
    services.storage.remove_upload(str(job_id))
    services.storage.remove_clips(str(job_id))
    log.info("job deleted", extra={"event": "job.deleted", "job_id": str(job_id)})
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _found(job: models.Job | None) -> models.Job:
    if job is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such job")
    return job
