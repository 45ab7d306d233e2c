"""What a request must be before anything of the application sees it.

In this order, so that a stranger costs next to nothing: its first lines are short, it is not
compressed, it is let in and may do that (:mod:`langflix.api.who`), and its body has come, small, in
time and not nested without end. Everything wants a token but what :data:`OPEN` names; a wrong one
is answered with 401 there, too, for by that the edge counts guesses. An upload's body is not waited
for: :mod:`langflix.api.uploads` counts it while it comes.

Plain ASGI, for what stands between would have read the body already.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from langflix.api import problems, who
from langflix.api.problems import Problem
from langflix.api.services import Services
from langflix.domain.scope import wanted
from langflix.errors import UnavailableError

#: Paths that answer strangers; each says of itself what a stranger is not told.
OPEN = frozenset({"/health", "/health/detailed", "/ready", "/metrics", "/api/v1/session"})
#: The requests whose body goes to the disk while it comes.
STREAMED = frozenset({("POST", "/api/v1/jobs")})
#: Path and query, in bytes: a path on the media share has at most 1024 characters.
MAX_TARGET = 16 * 1024
#: All headers, in bytes; the server itself takes no more than 16 KiB.
MAX_HEAD = 12 * 1024
MAX_HEADERS = 128
#: The largest body that is no upload, in bytes.
MAX_BODY = 64 * 1024
#: Such a body is there within so many seconds.
BODY_S = 10.0
#: Arrays and objects in each other; our own forms have one.
MAX_DEPTH = 32

_TOKEN = re.compile(rb'["\\\[\]{}]')


class Gate:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is good, and answer the rest."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        try:
            look_at_head(scope)
            if scope["path"] not in OPEN:
                caller = await self._caller(asked)
                needed = wanted(scope["method"], scope["path"])
                if not caller.scope.covers(needed):
                    raise who.may_not(caller, needed)
                scope.setdefault("state", {})["caller"] = caller
            elif who.shows_token(asked):
                with suppress(UnavailableError):  # health is told while the database is away
                    await self._caller(asked)
            if (scope["method"], scope["path"]) not in STREAMED:
                receive = await whole(asked.headers, receive)
        except Problem as problem:
            refused = problems.answer(problem.status, problem.detail, problem.headers)
            await refused(scope, receive, send)
        except UnavailableError as error:
            await problems.unavailable(error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _caller(self, asked: HTTPConnection) -> who.Caller:
        """What has to be looked up may take its time."""
        if who.is_looked_up(asked):
            caller = await run_in_threadpool(who.identify, self._services, asked)
        else:
            caller = who.identify(self._services, asked)
        if caller is None:
            raise who.stranger()
        return caller


def look_at_head(scope: Scope) -> None:
    """Look at the first lines; raises Problem 414, 415 or 431."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET:
        detail = f"path and query are longer than {MAX_TARGET} bytes"
        raise Problem(HTTPStatus.REQUEST_URI_TOO_LONG, detail)
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    if len(scope["headers"]) > MAX_HEADERS or size > MAX_HEAD:
        detail = f"more than {MAX_HEADERS} headers, or more than {MAX_HEAD} bytes of them"
        raise Problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
    if "content-encoding" in Headers(scope=scope):
        detail = "a compressed request is not taken"
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


async def whole(headers: Headers, receive: Receive) -> Receive:
    """Wait for a body; return what gives it again, and after it what comes then.

    Raises:
        Problem: 400, 408 or 413: it breaks off or is nested too deep, takes too long, is too large.

    """
    length = headers.get("content-length")
    if length is None and "transfer-encoding" not in headers:
        return receive  # there is none: RFC 9112, section 6.3
    if length is not None and not _is_small(length):
        raise _too_large()
    try:
        async with asyncio.timeout(BODY_S):
            body = await _read(receive)
    except TimeoutError as error:
        detail = f"the body took longer than {BODY_S:g} s"
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, detail) from error
    if is_deep(body):
        detail = f"more than {MAX_DEPTH} arrays and objects in each other"
        raise Problem(HTTPStatus.BAD_REQUEST, detail)
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def is_deep(text: bytes) -> bool:
    """Say whether JSON has too many arrays and objects in each other, in one look at each byte."""
    depth, quoted, after = 0, False, 0
    for found in _TOKEN.finditer(text):
        if found.start() < after:  # stands behind a backslash
            continue
        match found[0]:
            case b"\\":
                after = found.end() + 1
            case b'"':
                quoted = not quoted
            case b"[" | b"{" if not quoted:
                depth += 1
            case b"]" | b"}" if not quoted:
                depth -= 1
        if depth > MAX_DEPTH:
            return True
    return False


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(HTTPStatus.BAD_REQUEST, "the sender left in the middle")
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(body)


def _is_small(length: str) -> bool:
    return length.isascii() and length.isdigit() and int(length[:20]) <= MAX_BODY


def _too_large() -> Problem:
    detail = f"a body that is no upload has at most {MAX_BODY} bytes"
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
