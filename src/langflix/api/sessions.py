"""Browsers: sign in, sign out, and which of them are signed in."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from langflix.api import who
from langflix.api.problems import Problem, described
from langflix.api.schemas import ScopeName
from langflix.api.services import Given
from langflix.data import sessions
from langflix.data.engine import session
from langflix.data.models import WebSession

router = APIRouter(prefix="/api/v1/session", tags=["session"])
#: What wants a token itself.
kept = APIRouter(prefix="/api/v1/sessions", tags=["session"])


class Login(BaseModel):
    """The token."""

    token: Annotated[str, Field(min_length=1, max_length=1024)]


class Session(BaseModel):
    """Whether the API wants a token, what the sender's lets do, and what there is to use."""

    needs_token: bool
    allowed: bool
    scope: ScopeName | None
    media_share: bool


class SignedIn(BaseModel):
    """A browser that is signed in."""

    id: str
    address: str
    agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool

    @classmethod
    def of(cls, row: WebSession, current: str | None) -> SignedIn:
        """Return the row as an answer."""
        names = [name for name in cls.model_fields if name != "current"]
        values = {name: getattr(row, name) for name in names}
        return cls(**values, current=row.id == current)


class Sessions(BaseModel):
    """Browsers that are signed in, the one that was used last first."""

    sessions: list[SignedIn]


@router.get("", responses=described(HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS))
def state(request: Request, services: Given) -> Session:
    """Say whether a token is wanted and was shown."""
    caller = who.identify(services, request)
    return Session(
        needs_token=who.wants_token(services.settings),
        allowed=caller is not None,
        scope=caller.scope.value if caller else None,
        media_share=caller is not None and services.share is not None,
    )


@router.post(
    "",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=described(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS
    ),
)
def login(body: Login, request: Request, services: Given) -> Response:
    """Trade the token for a session, whose cookie the answer brings."""
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    if not who.wants_token(services.settings):
        return answer
    caller = who.by_token(services, request, body.token)
    if caller is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "that is not the API's token")
    cookie = who.new_cookie()
    agent = request.headers.get("user-agent", "")
    with session(services.engine) as db:
        # Those of before would be valid for their days, in nobody's list of cookies.
        sessions.end_shown(db, [who.digest(one) for one in who.cookies_of(request)])
        sessions.add(db, who.digest(cookie), caller.token, who.address_of(request), agent)
    is_secure = who.is_secure(request)
    if is_secure:  # where HTTP comes again, one that was set over HTTPS would be in its way
        _forget(answer, who.COOKIE)
    answer.set_cookie(
        who.cookie_name(request),
        cookie,
        max_age=int(sessions.LIFE.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=is_secure,
    )
    return answer


@router.delete(
    "",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=described(HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS),
)
def logout(request: Request, services: Given) -> Response:
    """End the sessions whose cookies are shown, that of HTTP as well, and forget the cookies."""
    shown = who.cookies_of(request)
    if shown:
        with session(services.engine) as db:
            sessions.end_shown(db, [who.digest(cookie) for cookie in shown])
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    for name in (who.COOKIE, who.SECURE_COOKIE):
        _forget(answer, name)
    return answer


def _forget(answer: Response, name: str) -> None:
    """Have the browser forget a cookie; over HTTP it keeps what was set over HTTPS."""
    is_secure = name == who.SECURE_COOKIE
    answer.delete_cookie(name, path="/", secure=is_secure, httponly=True, samesite="strict")


@kept.get("")
def listing(request: Request, services: Given) -> Sessions:
    """List the browsers that are signed in."""
    caller: who.Caller = request.state.caller
    with session(services.engine) as db:
        rows = sessions.living(db, who.letting_in(services.settings, db).keys())
        return Sessions(sessions=[SignedIn.of(row, caller.session) for row in rows])


@kept.delete("", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def end_all(services: Given) -> Response:
    """Sign every browser out."""
    with session(services.engine) as db:
        sessions.end_all(db)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@kept.delete(
    "/{session_id}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=described(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
)
def end(session_id: UUID, services: Given) -> Response:
    """Sign one browser out."""
    with session(services.engine) as db:
        there = sessions.end(db, str(session_id))
    if not there:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such session")
    return Response(status_code=HTTPStatus.NO_CONTENT)
