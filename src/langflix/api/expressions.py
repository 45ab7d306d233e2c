"""Expressions of all lessons, searched."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from langflix.api import schemas
from langflix.api.problems import described
from langflix.api.schemas import clip_url
from langflix.api.services import Given
from langflix.data import lessons
from langflix.data.engine import session

router = APIRouter(prefix="/api/v1/expressions", tags=["expressions"])


@router.get("", responses=described(HTTPStatus.UNPROCESSABLE_ENTITY))
def search(
    services: Given,
    q: schemas.SearchText = "",
    level: Annotated[schemas.Level | None, Query()] = None,
    limit: schemas.Limit = 50,
    offset: schemas.Offset = 0,
) -> schemas.FoundPage:
    """Return expressions whose phrase, dialogue or translation holds ``q``."""
    with session(services.engine) as db:
        rows, total = lessons.search(db, q, level, limit, offset)
        found = [
            schemas.Found(
                **schemas.Expression.of(row).model_dump(),
                job_id=row.job_id,
                title=title,
                clip_url=clip_url(clip_id) if clip_id else None,
            )
            for row, title, clip_id in rows
        ]
    return schemas.FoundPage(expressions=found, total=total, limit=limit, offset=offset)
