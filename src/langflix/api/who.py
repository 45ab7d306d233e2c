"""Who a request is: the one place that decides it, and so what it may do.

A token is shown as ``Authorization: Bearer …``. A browser can't send a header with a film or an
event stream, so the page trades the token for a session: its cookie holds 256 random bits, of which
the database has a hash. Where the settings name no token everybody is let in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import HTTPConnection

from langflix.api.problems import Problem, described
from langflix.api.services import Services
from langflix.data import sessions
from langflix.data.engine import session
from langflix.errors import UnavailableError
from langflix.secret import Secret
from langflix.settings import Settings

COOKIE = "langflix_sid"
_BEARER = "bearer "
_COOKIE_BYTES = 32
_COOKIE_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")
#: For FastAPI's ``responses=`` of what wants a token.
REFUSED = described(HTTPStatus.UNAUTHORIZED)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is let in.

    Attributes:
        token: name of the token that was shown; empty where none is wanted.
        session: id of the session, when it was its cookie that was shown.
    """

    token: str
    session: str | None = None


def accepted(settings: Settings) -> Mapping[str, Secret]:
    """Return the tokens that let in, by name; none where everybody is let in."""
    token = settings.api_token
    return {} if token is None else {fingerprint(token): token}


def fingerprint(token: Secret) -> str:
    """Return what stands for a token where it must not: 64 bits that don't lead back to it."""
    return hmac.new(token.reveal().encode(), b"langflix token", hashlib.sha256).hexdigest()[:16]


def identify(services: Services, asked: HTTPConnection) -> Caller | None:
    """Return who asks, or None for a stranger; asks the database only for a session.

    Raises:
        Problem: 429, after too many wrong tokens.
        UnavailableError: a session is shown, and the database does not answer.

    """
    wanted = accepted(services.settings)
    if not wanted:
        return Caller("")
    header = asked.headers.get("authorization", "")
    if header[: len(_BEARER)].lower() == _BEARER:
        return by_token(services, asked, header[len(_BEARER) :].strip())
    cookie = asked.cookies.get(COOKIE, "")
    if not _COOKIE_SHAPE.fullmatch(cookie):
        return None
    with session(services.engine) as db:
        found = sessions.use(db, digest(cookie), wanted.keys())
        return Caller(found.token, found.id) if found else None


def by_token(services: Services, asked: HTTPConnection, shown: str) -> Caller | None:
    """Return who shows this token, or None; raises Problem 429 after too many wrong ones."""
    wanted = accepted(services.settings)
    right = [name for name, token in wanted.items() if _same(shown, token.reveal())]
    services.guesses.judge(address_of(asked), bool(right))
    return Caller(right[0]) if right else None


def is_known(services: Services, asked: HTTPConnection) -> bool:
    """Say whether this is no stranger; one who can't be told from a stranger is one."""
    try:
        return identify(services, asked) is not None
    except (Problem, UnavailableError):
        return False


def stranger() -> Problem:
    """Return what a stranger is told."""
    detail = "send the API's token as Authorization: Bearer …"
    return Problem(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": "Bearer"})


def new_cookie() -> str:
    """Return the content of a new session's cookie."""
    return secrets.token_urlsafe(_COOKIE_BYTES)


def digest(cookie: str) -> str:
    """Return what the database has of a cookie."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def address_of(asked: HTTPConnection) -> str:
    """Return the address that the edge says the request is from."""
    return asked.client.host if asked.client else ""


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
