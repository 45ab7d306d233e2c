"""The API's token, when the settings name one: a bearer token, or a cookie for the page.

A browser cannot send a header with a film or an event stream, so the page trades the token for a
cookie.  The cookie holds a value derived from the token and is sent to this site only.
"""

from __future__ import annotations

import hashlib
import hmac
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from langflix.api.problems import Problem, described
from langflix.api.services import Given
from langflix.secret import Secret

COOKIE = "langflix_session"
COOKIE_S = 30 * 24 * 3600
SCHEME = "bearer "

router = APIRouter(prefix="/api/v1/session", tags=["session"])
REFUSED = described(HTTPStatus.UNAUTHORIZED)


class Login(BaseModel):
    """The token."""

    token: Annotated[str, Field(min_length=1, max_length=1024)]


class Session(BaseModel):
    """Whether the API wants a token, whether the sender has shown it, and what there is to use."""

    needs_token: bool
    allowed: bool
    media_share: bool


def allowed(request: Request, services: Given) -> None:
    """Let the request through; raises Problem 401 when it lacks the token that is wanted."""
    token = services.settings.api_token
    if token is not None and not _shown(request, token):
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "send the API's token as Authorization: Bearer …",
            {"WWW-Authenticate": "Bearer"},
        )


@router.get("")
def state(request: Request, services: Given) -> Session:
    """Say whether a token is wanted and was shown."""
    token = services.settings.api_token
    return Session(
        needs_token=token is not None,
        allowed=token is None or _shown(request, token),
        media_share=services.share is not None,
    )


@router.post(
    "",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=described(HTTPStatus.UNAUTHORIZED, HTTPStatus.UNPROCESSABLE_ENTITY),
)
def login(body: Login, request: Request, services: Given) -> Response:
    """Trade the token for a cookie."""
    token = services.settings.api_token
    if token is not None and not _same(body.token, token.reveal()):
        raise Problem(HTTPStatus.UNAUTHORIZED, "that is not the API's token")
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    if token is not None:
        answer.set_cookie(
            COOKIE,
            _derived(token),
            max_age=COOKIE_S,
            path="/api/",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
    return answer


@router.delete("", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def logout() -> Response:
    """Forget the cookie."""
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    answer.delete_cookie(COOKIE, path="/api/")
    return answer


def _shown(request: Request, token: Secret) -> bool:
    header = request.headers.get("authorization", "")
    if header[: len(SCHEME)].lower() == SCHEME:
        return _same(header[len(SCHEME) :].strip(), token.reveal())
    return _same(request.cookies.get(COOKIE, ""), _derived(token))


def _derived(token: Secret) -> str:
    return hmac.new(token.reveal().encode(), b"langflix session", hashlib.sha256).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
