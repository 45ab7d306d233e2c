"""Clips' files, in ranges when the player asks for them."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import FileResponse

from langflix.api import schemas
from langflix.api.problems import Problem, described
from langflix.api.services import Given, Services
from langflix.data import jobs, lessons
from langflix.data.engine import session
from langflix.data.models import Status

router = APIRouter(prefix="/api/v1", tags=["clips"])
#: A clip's id stands for its content for good.
CACHE = "private, max-age=86400, immutable"


KINDS: tuple[schemas.VideoKind, ...] = ("lesson", "short")
_MISSING = (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
#: A lesson's videos are made anew when its job runs again.
CACHE_VIDEO = "private, no-cache"
_FILE: dict[int | str, dict[str, object]] = {
    **described(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
    200: {"content": {"video/mp4": {}}},
    206: {"description": "Partial Content", "content": {"video/mp4": {}}},
    400: {"description": "The Range header cannot be read.", "content": {"text/plain": {}}},
    416: {"description": "Nothing lies in that range.", "content": {"text/plain": {}}},
}


@router.get(
    "/clips/{clip_id}/file",
    response_class=FileResponse,
    responses=_FILE,
)
def file(clip_id: UUID, services: Given) -> FileResponse:
    """Return the clip's video, or the range of it that was asked for."""
    with session(services.engine) as db:
        clip = lessons.clip(db, str(clip_id))
    if clip is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such clip")
    path = services.storage.clip(clip.job_id, clip.id)
    if not path.is_file():
        raise Problem(HTTPStatus.NOT_FOUND, "the clip's file is gone")
    return FileResponse(path, media_type="video/mp4", headers={"Cache-Control": CACHE})


@router.get("/jobs/{job_id}/videos", responses=described(*_MISSING))
def videos(job_id: UUID, services: Given) -> schemas.Videos:
    """Return the whole lesson as videos: all clips in landscape, the best one in portrait."""
    done = _done(services, job_id)
    paths = {kind: _path(services, job_id, kind) for kind in KINDS if done}
    found = [
        schemas.Video(
            kind=kind, bytes=path.stat().st_size, url=f"/api/v1/jobs/{job_id}/videos/{kind}/file"
        )
        for kind, path in paths.items()
        if path.is_file()
    ]
    return schemas.Videos(videos=found)


@router.get("/jobs/{job_id}/videos/{kind}/file", response_class=FileResponse, responses=_FILE)
def video(job_id: UUID, kind: schemas.VideoKind, services: Given) -> FileResponse:
    """Return one of the lesson's videos, or the range of it that was asked for."""
    path = _path(services, job_id, kind)
    if not _done(services, job_id) or not path.is_file():
        raise Problem(HTTPStatus.NOT_FOUND, "the lesson has no such video")
    return FileResponse(path, media_type="video/mp4", headers={"Cache-Control": CACHE_VIDEO})


def _done(services: Services, job_id: UUID) -> bool:
    with session(services.engine) as db:
        job = jobs.get(db, str(job_id))
    if job is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such job")
    return job.status == Status.DONE


def _path(services: Services, job_id: UUID, kind: schemas.VideoKind) -> Path:
    storage = services.storage
    return storage.lesson(str(job_id)) if kind == "lesson" else storage.short(str(job_id))
