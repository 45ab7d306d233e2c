"""Tokens with names: made, listed and revoked by who administers the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from langflix.api import who
from langflix.api.problems import Problem, described
from langflix.api.schemas import ScopeName
from langflix.api.services import Given
from langflix.data import tokens
from langflix.data.engine import session
from langflix.data.models import ApiToken
from langflix.domain.scope import Scope
from langflix.domain.tokens import MOST_DAYS, NAME

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"])

Name = Annotated[str, Path(pattern=NAME)]


class Wish(BaseModel):
    """A token that is to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=NAME)]
    scope: ScopeName
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None


class Token(BaseModel):
    """A token that lets in, without what has to be shown."""

    name: str
    scope: ScopeName
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, row: ApiToken) -> Token:
        """Return the row as an answer."""
        return cls(**{name: getattr(row, name) for name in Token.model_fields})


class NewToken(Token):
    """A token that was just made, and what has to be shown: nobody is told again."""

    token: str


class Tokens(BaseModel):
    """Every token with a name that lets in."""

    tokens: list[Token]


@router.get("")
def listing(services: Given) -> Tokens:
    """List the tokens that let in."""
    with session(services.engine) as db:
        return Tokens(tokens=[Token.of(row) for row in tokens.living(db)])


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=described(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
)
def add(body: Wish, services: Given) -> NewToken:
    """Make a token."""
    secret = who.new_token()
    life = None if body.days is None else timedelta(days=body.days)
    with session(services.engine) as db:
        made = tokens.add(db, body.name, Scope(body.scope), who.digest(secret), life)
        if made is None:
            raise Problem(HTTPStatus.CONFLICT, f"there is a token {body.name} already")
        return NewToken(**Token.of(made).model_dump(), token=secret)


@router.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=described(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
)
def revoke(name: Name, services: Given) -> Response:
    """Take a token away; who signed in with it is signed out."""
    with session(services.engine) as db:
        there = tokens.revoke(db, name)
    if not there:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no token {name}")
    return Response(status_code=HTTPStatus.NO_CONTENT)
