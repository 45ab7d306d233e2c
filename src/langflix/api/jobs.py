"""Jobs: create by upload, list, get, and what came out of one."""

from __future__ import annotations

import logging
from http import HTTPStatus
from pathlib import Path as FilePath
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from langflix.api import schemas
from langflix.api.problems import Problem, described
from langflix.api.services import Given, Services
from langflix.api.uploads import Received, Wanted, receive
from langflix.data import jobs, lessons, models
from langflix.data.engine import session
from langflix.errors import UnavailableError
from langflix.media.storage import SUBTITLE_ENDINGS, VIDEO_ENDINGS
from langflix.queue.app import send_job

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
log = logging.getLogger(__name__)

FILES = (Wanted("video", VIDEO_ENDINGS), Wanted("subtitle", SUBTITLE_ENDINGS))
#: The largest number that PostgreSQL takes as an offset without complaint, and more than enough.
MAX_OFFSET = 2**31 - 1

_BINARY = {"type": "string", "format": "binary"}
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [wanted.field for wanted in FILES],
                "properties": {wanted.field: _BINARY for wanted in FILES},
            }
        }
    },
}
_REFUSED = described(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.INSUFFICIENT_STORAGE,
)
_MISSING = described(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    response_model=schemas.Job,
    responses=_REFUSED,
    openapi_extra={"requestBody": _FORM},
)
async def create(request: Request, services: Given) -> JSONResponse:
    """Take a film (``video``) and its subtitle (``subtitle``) and queue a job for them."""
    incoming = await run_in_threadpool(services.storage.incoming)
    try:
        files = await receive(
            request.stream(),
            request.headers,
            FILES,
            incoming,
            services.settings.max_upload_bytes,
        )
        job = await run_in_threadpool(_admit, services, incoming, files)
    finally:
        await run_in_threadpool(services.storage.remove_arriving, incoming)
    headers = {"Location": f"/api/v1/jobs/{job.id}"}
    return JSONResponse(job.model_dump(mode="json"), HTTPStatus.ACCEPTED, headers)


@router.get("", responses=described(HTTPStatus.UNPROCESSABLE_ENTITY))
def listing(
    services: Given,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> schemas.JobPage:
    """Return jobs, newest first."""
    with session(services.engine) as db:
        page = jobs.page(db, limit, offset)
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


def _admit(services: Services, incoming: FilePath, files: dict[str, Received]) -> schemas.Job:
    """Make the arrived files a job and queue it; when that fails nothing of it stays."""
    job_id = str(uuid4())
    video, subtitle = files["video"], files["subtitle"]
    services.storage.keep(incoming, job_id)
    try:
        with session(services.engine) as db:
            row = jobs.add(db, job_id, video.name, subtitle.name, video.size + subtitle.size)
            job = schemas.Job.of(row)
        send_job(services.celery, job_id)
    except UnavailableError:
        _withdraw(services, job_id)
        raise
    log.info("job accepted", extra={"event": "job.accepted", "job_id": job_id})
    return job


def _withdraw(services: Services, job_id: str) -> None:
    try:
        with session(services.engine) as db:
            jobs.remove(db, job_id)
    except UnavailableError:
        log.warning("row of a refused job may stay", extra={"job_id": job_id})
    services.storage.remove_upload(job_id)


def _found(job: models.Job | None) -> models.Job:
    if job is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such job")
    return job
