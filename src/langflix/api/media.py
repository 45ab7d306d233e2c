"""The media share: look around in it; jobs are made of it by ``POST /api/v1/media/jobs``."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from langflix.api import schemas
from langflix.api.problems import Problem, described
from langflix.api.services import Given, Services
from langflix.media.share import Share

router = APIRouter(prefix="/api/v1/media", tags=["media"])
REFUSED = described(
    HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.INSUFFICIENT_STORAGE
)


@router.get("", responses=REFUSED)
def folder(
    services: Given, path: Annotated[str, Query(max_length=1024)] = ""
) -> schemas.MediaFolder:
    """List a folder of the media share."""
    return schemas.MediaFolder.model_validate(asdict(need_share(services).folder(path)))


def need_share(services: Services) -> Share:
    """Return the media share; raises Problem 404 when there is none."""
    if services.share is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no media share is set up")
    return services.share
