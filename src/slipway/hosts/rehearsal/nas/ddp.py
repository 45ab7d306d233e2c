"""The older protocol at ``/websocket``: all that 24.10 speaks, and still there afterwards.

Source: ``main.py`` (``Application``) and ``utils/service/call.py`` of the middleware at 24.10,
``apps/websocket_app.py`` later.
"""

from __future__ import annotations

import errno
import functools
from typing import Any

from . import applogs, frames
from .errors import (
    ENOMETHOD,
    ENOTAUTHENTICATED,
    CallError,
    ValidationError,
    adapted,
    errname,
    problems_of,
    trace_of,
)
from .middleware import ANYBODY, NOBODY, Call, Method
from .session import AT_MOST, Session, TooMany, number_of, parse


class DdpSession(Session):
    """A client that speaks the older protocol."""

    greeted = False

    def receive(self, text: str) -> None:
        """A message."""
        try:
            message = parse(text, self.person is not None)
        except ValueError:
            self.close(frames.BAD_TEXT, "Failed to parse JSON")
            return
        kind = message.get("msg")
        if kind == "connect":
            self._connect(message)
        elif not self.greeted:
            self.send({"msg": "failed", "version": "1"})
        elif kind == "method":
            self._method(message)
        elif kind == "ping":
            self.send({"msg": "pong", **{key: message[key] for key in ("id",) if key in message}})
        elif kind == "sub":
            self._sub(message)
        elif kind == "unsub":
            self.subscriptions.pop(message["id"], None)

    def send_event(self, event: dict[str, Any]) -> None:
        """Send an event as it is."""
        self.send(event)

    def _connect(self, message: dict[str, Any]) -> None:
        if message.get("version") != "1":
            self.send({"msg": "failed", "version": "1"})
            return
        self.greeted = True
        self.send({"msg": "connected", "session": self.number})

    def _sub(self, message: dict[str, Any]) -> None:
        if self.person is None:
            self._fail(message, errno.EACCES, "Not authorized")
            return
        name = message["name"]
        self.subscribe(name, message["id"])
        self.send({"msg": "ready", "subs": [message["id"]]})
        if name.startswith(f"{applogs.NAME}:") and self.person.may(applogs.ROLE):
            applogs.follow(Call(self.middleware, self.person, self), self, name)

    def _method(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            self._fail(message, errno.EINVAL, "Message is malformed: 'method' is absent.")
            return
        try:
            method = self._found(message["method"])
        except CallError as error:
            self._fail(message, error.errno, str(error), error)
            return
        params = message.get("params") or []
        if (code := self._forbidden(method)) is not None:
            self._fail(message, *code)
        elif not isinstance(params, list):
            self._fail(message, errno.EINVAL, "`params` must be a list.")
        else:
            self._begin(message, method, params)

    def _begin(self, message: dict[str, Any], method: Method, params: list[Any]) -> None:
        try:
            self.aside(functools.partial(self._answer, message, method, params))
        except TooMany:
            text = f"Maximum number of concurrent calls ({AT_MOST}) has exceeded."
            self._fail(message, errno.ETOOMANYREFS, text)

    def _found(self, name: str) -> Method:
        if name in self.middleware.methods:
            return self.middleware.methods[name]
        service, _, short = name.rpartition(".")
        if any(known.startswith(f"{service}.") for known in self.middleware.methods):
            raise CallError(f"Method {short!r} not found in {service!r}", ENOMETHOD)
        raise CallError(f"Service {service!r} not found", ENOMETHOD)

    def _forbidden(self, method: Method) -> tuple[int, str] | None:
        if method.role == NOBODY:
            return None
        if self.person is None:
            return ENOTAUTHENTICATED, "Not authenticated"
        if method.role != ANYBODY and not self.person.may(method.role):
            return errno.EACCES, "Not authorized"
        return None

    def _answer(self, message: dict[str, Any], method: Method, params: list[Any]) -> None:
        try:
            result = number_of(self.begin(method, params, message.get("id")))
        except Exception as error:
            problems = problems_of(error)
            if problems is None:
                told = adapted(error)
                self._fail(message, told.errno, str(told), error, extra=told.extra)
            else:
                code = error.errno if isinstance(error, ValidationError) else errno.EAGAIN
                self._fail(message, code, str(error), error, "VALIDATION", problems)
            return
        self.send({"id": message["id"], "msg": "result", "result": result})

    def _fail(
        self,
        message: dict[str, Any],
        code: int,
        reason: str,
        error: Exception | None = None,
        kind: str | None = None,
        extra: object = None,
    ) -> None:
        told = {
            "error": code,
            "errname": errname(code),
            "type": kind,
            "reason": reason,
            "trace": trace_of(error) if error is not None else None,
            "extra": extra,
        }
        self.send({"msg": "result", "id": message["id"], "error": told})
