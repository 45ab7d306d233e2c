"""Gives every request an id, a log line and its place in the metrics.

Plain ASGI: Starlette's own base class for this would hold streamed bodies back.
"""

from __future__ import annotations

import logging
import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from langflix import logs
from langflix.api.counters import Metrics

HEADER = "X-Request-ID"
#: Asked so often by machines that a line for each would bury the rest.
QUIET = frozenset({"/health", "/ready", "/metrics"})
#: Answers that last as long as somebody listens; their times would say nothing of the others.
STREAMS = frozenset({"/api/v1/events"})

_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
log = logging.getLogger("langflix.access")


class Observe:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        identifier = given if _GOOD_ID.fullmatch(given) else uuid4().hex
        token = logs.request_id.set(identifier)
        begin, status = time.monotonic(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = identifier
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            self._note(scope, status, time.monotonic() - begin)
            logs.request_id.reset(token)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        took = None if scope["path"] in STREAMS else seconds
        self._metrics.saw(scope["method"], route, status, took)
        quiet = scope["path"] in QUIET and status < 400
        log.log(
            logging.DEBUG if quiet else logging.INFO,
            "%s %s %d",
            scope["method"],
            scope["path"],
            status,
            extra={
                "event": "request",
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "ms": round(seconds * 1000, 1),
                "client": (scope.get("client") or ("-",))[0],
            },
        )
