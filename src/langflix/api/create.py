"""Makes jobs: of an upload, or of files on the media share; twice the same request makes one."""

from __future__ import annotations

import hashlib
import json
import logging
from http import HTTPStatus
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool

from langflix.api import schemas
from langflix.api.media import need_share
from langflix.api.problems import Problem, described
from langflix.api.services import Given, Services
from langflix.api.uploads import Arrived, Wanted, receive
from langflix.data import jobs
from langflix.data.engine import session
from langflix.errors import UnavailableError
from langflix.media.storage import SUBTITLE_ENDINGS, VIDEO_ENDINGS
from langflix.queue.app import send_job

router = APIRouter(prefix="/api/v1", tags=["jobs"])
log = logging.getLogger(__name__)

FILES = (Wanted("video", VIDEO_ENDINGS), Wanted("subtitle", SUBTITLE_ENDINGS))
TEXTS = frozenset(schemas.Wishes.model_fields)
REPLAYED = "Idempotency-Replayed"
KEY = Header(
    alias="Idempotency-Key",
    pattern=r"^[!-~]{1,200}$",
    description="The same key with the same request gives the job that the first one made.",
)
Key = Annotated[str | None, KEY]

_BINARY = {"type": "string", "format": "binary"}
_WISHES = schemas.Wishes.model_json_schema()["properties"]
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [wanted.field for wanted in FILES],
                "properties": {wanted.field: _BINARY for wanted in FILES} | _WISHES,
            }
        }
    },
}
_REFUSED = described(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.INSUFFICIENT_STORAGE,
)


@router.post(
    "/jobs",
    status_code=HTTPStatus.ACCEPTED,
    response_model=schemas.Job,
    responses=_REFUSED,
    openapi_extra={"requestBody": _FORM},
)
async def create(request: Request, services: Given, key: Key = None) -> JSONResponse:
    """Take a film (``video``) and its subtitle (``subtitle``) and queue a job for them."""
    incoming = await run_in_threadpool(services.storage.incoming)
    try:
        form = await receive(
            request.stream(),
            request.headers,
            FILES,
            incoming,
            services.settings.max_upload_bytes,
            TEXTS,
        )
        return await run_in_threadpool(_admit, services, incoming, form, key)
    finally:
        await run_in_threadpool(services.storage.remove_arriving, incoming)


@router.post(
    "/media/jobs",
    status_code=HTTPStatus.ACCEPTED,
    response_model=schemas.Job,
    responses=_REFUSED,
)
def from_media(body: schemas.FromMedia, services: Given, key: Key = None) -> JSONResponse:
    """Queue a job for a film and a subtitle that lie on the media share."""
    share = need_share(services)
    video = share.file(body.video, VIDEO_ENDINGS)
    subtitle = share.file(body.subtitle, SUBTITLE_ENDINGS)
    asked = jobs.Asked(
        title=body.title,
        level=body.level,
        language=body.language,
        media_video=PurePosixPath(body.video).as_posix(),
        media_subtitle=PurePosixPath(body.subtitle).as_posix(),
        key=key,
        digest=_digest(body.model_dump()),
    )
    job_id = str(uuid4())
    size = video.stat().st_size + subtitle.stat().st_size
    return _insert(services, job_id, (video.name, subtitle.name, size), asked)


def _admit(services: Services, incoming: FilePath, form: Arrived, key: str | None) -> JSONResponse:
    """Make the arrived files a job and queue it; when that fails nothing of it stays."""
    wishes = _wishes(form)
    video, subtitle = form.files["video"], form.files["subtitle"]
    sent = [[one.name, one.sha256] for one in (video, subtitle)]
    asked = jobs.Asked(**wishes.model_dump(), key=key, digest=_digest([sent, wishes.model_dump()]))
    job_id = str(uuid4())
    services.storage.keep(incoming, job_id)
    files = (video.name, subtitle.name, video.size + subtitle.size)
    try:
        answer = _insert(services, job_id, files, asked)
    except BaseException:
        services.storage.remove_upload(job_id)
        raise
    if REPLAYED in answer.headers:
        services.storage.remove_upload(job_id)
    return answer


def _insert(
    services: Services, job_id: str, files: tuple[str, str, int], asked: jobs.Asked
) -> JSONResponse:
    try:
        with session(services.engine) as db:
            if asked.key is not None and (before := jobs.by_key(db, asked.key)) is not None:
                return _again(schemas.Job.of(before), before.request_digest, asked)
            job = schemas.Job.of(jobs.add(db, job_id, *files, asked))
    except IntegrityError:  # the same key, at the same time
        with session(services.engine) as db:
            first = jobs.by_key(db, asked.key or "")
            if first is None:
                raise
            return _again(schemas.Job.of(first), first.request_digest, asked)
    try:
        send_job(services.celery, job_id)
    except UnavailableError:
        _withdraw(services, job_id)
        raise
    log.info("job accepted", extra={"event": "job.accepted", "job_id": job_id})
    return _accepted(job)


def _again(job: schemas.Job, digest: str | None, asked: jobs.Asked) -> JSONResponse:
    if digest != asked.digest:
        detail = "the idempotency key was used for another request"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    return _accepted(job, {REPLAYED: "true"})


def _accepted(job: schemas.Job, headers: dict[str, str] | None = None) -> JSONResponse:
    where = {"Location": f"/api/v1/jobs/{job.id}"} | (headers or {})
    return JSONResponse(job.model_dump(mode="json"), HTTPStatus.ACCEPTED, where)


def _withdraw(services: Services, job_id: str) -> None:
    try:
        with session(services.engine) as db:
            jobs.remove(db, job_id)
    except UnavailableError:
        log.warning("row of a refused job may stay", extra={"job_id": job_id})


def _wishes(form: Arrived) -> schemas.Wishes:
    try:
        return schemas.Wishes.model_validate(form.texts)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
