"""Who a request is: the one place that decides it, and so what it may do.

A token is shown as ``Authorization: Bearer …``: the settings' own, which may do everything, or one
with a name, of which the database has a hash and what it may do. A browser can't send a header with
a film or an event stream, so the page trades the token for a session: its cookie holds 256 random
bits, of which the database has a hash, too. Where the settings name no token everybody is let in.

Over HTTPS the cookie has another name than over HTTP. What begins with ``__Host-`` nobody can set
but this host over HTTPS (RFC 6265bis, 4.1.3.2), so neither a neighbour nor who sits on the network
slips a session of theirs in. And what was set over HTTPS no page over HTTP may overwrite (its
storage model): under one name, whoever goes back to HTTP could not sign in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from langflix.api.problems import Problem, described
from langflix.api.services import Services
from langflix.data import sessions, tokens
from langflix.data.engine import session
from langflix.domain.scope import Scope
from langflix.errors import UnavailableError
from langflix.secret import Secret
from langflix.settings import Settings

COOKIE = "langflix_sid"
SECURE_COOKIE = f"__Host-{COOKIE}"
_BEARER = "bearer "
_SECRET_BYTES = 32
_COOKIE_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")
#: Whoever finds one, such as a scanner of repositories, sees what it is.
_TOKEN_PREFIX = "langflix_"  # noqa: S105 - no token, but how each begins
_TOKEN_SHAPE = re.compile(_TOKEN_PREFIX + _COOKIE_SHAPE.pattern)
#: For FastAPI's ``responses=`` of what wants no token, but no wrong one either.
MISTAKEN = described(HTTPStatus.UNAUTHORIZED)
#: ... and of what wants one.
REFUSED = described(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is let in.

    Attributes:
        token: what stands for the token that was shown; empty where none is wanted.
        scope: what it lets do.
        session: id of the session, when it was its cookie that was shown.
    """

    token: str
    scope: Scope
    session: str | None = None


def wants_token(settings: Settings) -> bool:
    """Say whether strangers are kept out."""
    return settings.api_token is not None


def letting_in(settings: Settings, db: Session) -> Mapping[str, Scope]:
    """Return what stands for each token that lets in, and what it lets do."""
    own = {fingerprint(token): Scope.ADMIN for token in _own(settings)}
    return {**{row.id: Scope(row.scope) for row in tokens.living(db)}, **own}


def _own(settings: Settings) -> tuple[Secret, ...]:
    """Return the stack's own tokens: the one that is wanted, and the one before it."""
    both = (settings.api_token, settings.api_token_before)
    return tuple(token for token in both if token is not None)


def fingerprint(token: Secret) -> str:
    """Return what stands for a token where it must not: 64 bits that don't lead back to it."""
    return hmac.new(token.reveal().encode(), b"langflix token", hashlib.sha256).hexdigest()[:16]


def identify(services: Services, asked: HTTPConnection) -> Caller | None:
    """Return who asks, or None for a stranger; see :func:`is_looked_up`.

    Raises:
        Problem: 429, after too many wrong tokens.
        UnavailableError: the database is needed, and does not answer.

    """
    if not wants_token(services.settings):
        return Caller("", Scope.ADMIN)
    shown = _shown(asked)
    if shown is not None:
        return by_token(services, asked, shown)
    cookie = asked.cookies.get(cookie_name(asked), "")
    if not _COOKIE_SHAPE.fullmatch(cookie):
        return None
    with session(services.engine) as db:
        scopes = letting_in(services.settings, db)
        found = sessions.use(db, digest(cookie), scopes.keys())
        return Caller(found.token, scopes[found.token], found.id) if found else None


def by_token(services: Services, asked: HTTPConnection, shown: str) -> Caller | None:
    """Return who shows this token, or None; raises Problem 429 after too many wrong ones."""
    right = [token for token in _own(services.settings) if _same(shown, token.reveal())]
    found = Caller(fingerprint(right[0]), Scope.ADMIN) if right else None
    if found is None and _TOKEN_SHAPE.fullmatch(shown):
        with session(services.engine) as db:
            row = tokens.use(db, digest(shown))
            found = Caller(row.id, Scope(row.scope)) if row else None
    services.guesses.judge(address_of(asked), found is not None)
    return found


def is_looked_up(asked: HTTPConnection) -> bool:
    """Say whether the database has to be asked who this is."""
    return cookie_name(asked) in asked.cookies or bool(_TOKEN_SHAPE.fullmatch(_shown(asked) or ""))


def shows_token(asked: HTTPConnection) -> bool:
    """Say whether a token is shown, right or wrong; a cookie is none, for it can't be guessed."""
    return _shown(asked) is not None


def is_secure(asked: HTTPConnection) -> bool:
    """Say whether the edge, or a proxy before it, was asked over HTTPS."""
    return asked.url.scheme == "https"


def cookie_name(asked: HTTPConnection) -> str:
    """Return the name of the cookie that counts for a request."""
    return SECURE_COOKIE if is_secure(asked) else COOKIE


def cookies_of(asked: HTTPConnection) -> list[str]:
    """Return what the cookies of sessions hold that a request shows, of HTTP and of HTTPS."""
    shown = [asked.cookies.get(name, "") for name in (COOKIE, SECURE_COOKIE)]
    return [cookie for cookie in shown if _COOKIE_SHAPE.fullmatch(cookie)]


def _shown(asked: HTTPConnection) -> str | None:
    """Return the token that a request shows, if it does."""
    header = asked.headers.get("authorization", "")
    if header[: len(_BEARER)].lower() != _BEARER:
        return None
    return header[len(_BEARER) :].strip()


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


def may_not(caller: Caller, wanted: Scope) -> Problem:
    """Return what somebody is told whose token lets do less than is asked for."""
    detail = f"this token lets {caller.scope.value}; it takes one that lets {wanted.value}"
    return Problem(HTTPStatus.FORBIDDEN, detail)


def new_cookie() -> str:
    """Return the content of a new session's cookie."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def new_token() -> str:
    """Return a new token, which can't be guessed: so a hash without salt is enough for it."""
    return _TOKEN_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def digest(shown: str) -> str:
    """Return what the database has of a cookie or a token."""
    return hashlib.sha256(shown.encode()).hexdigest()


def address_of(asked: HTTPConnection) -> str:
    """Return the address that the edge says the request is from."""
    return asked.client.host if asked.client else ""


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
