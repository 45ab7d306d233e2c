"""Clips' files, in ranges when the player asks for them."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import FileResponse

from langflix.api.problems import Problem, described
from langflix.api.services import Given
from langflix.data import lessons
from langflix.data.engine import session

router = APIRouter(prefix="/api/v1/clips", tags=["clips"])
#: A clip's id stands for its content for good.
CACHE = "private, max-age=86400, immutable"


@router.get(
    "/{clip_id}/file",
    response_class=FileResponse,
    responses={
        **described(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
        200: {"content": {"video/mp4": {}}},
        206: {"description": "Partial Content", "content": {"video/mp4": {}}},
    },
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
