"""The media share: look around in it, and find its films.

Jobs are made of it by ``POST /api/v1/media/jobs``.
"""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from langflix.api import schemas
from langflix.api.problems import Problem, described
from langflix.api.services import Given, Services
from langflix.data import films
from langflix.data.engine import session
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


@router.get("/films", responses=described(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY))
def find_films(
    services: Given,
    q: schemas.SearchText = "",
    subtitled: bool | None = None,
    fresh: bool | None = None,
    limit: schemas.Limit = 50,
    offset: schemas.Offset = 0,
) -> schemas.MediaFilmPage:
    """Return the films that the last scan found, newest first, with ``q`` in their paths.

    ``subtitled`` asks for those with a subtitle beside them, or without; ``fresh`` for those that
    can be read and no lesson is made of yet, or for the others.
    """
    need_share(services)
    with session(services.engine) as db:
        page = films.page(db, limit, offset, films.Filter(q, subtitled, fresh))
        found = [schemas.MediaFilm.of(row, job) for row, job in page.films]
    return schemas.MediaFilmPage(films=found, total=page.total, limit=limit, offset=offset)


def need_share(services: Services) -> Share:
    """Return the media share; raises Problem 404 when there is none."""
    if services.share is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no media share is set up")
    return services.share
