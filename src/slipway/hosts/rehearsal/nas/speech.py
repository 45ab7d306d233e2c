"""The two protocols, as a client speaks them.

Source: ``truenas_api_client/__init__.py`` (JSON-RPC) and ``legacy.py`` of the client.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from typing import Any, Protocol

from .exc import ClientException, ValidationErrors

_GREET_S = 30.0
_INVALID_PARAMS = -32602
_CALL_ERROR = -32001


class Speaker(Protocol):
    """What a protocol needs of the client."""

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""

    def call(self, method: str, *params: Any, timeout: Any = ...) -> Any:
        """Call a method."""

    def answered(self, number: Any, result: Any = None, error: Any = None) -> None:
        """An answer came."""

    def event(self, event: dict[str, Any]) -> None:
        """An event came."""

    def watch(self) -> None:
        """Follow all jobs."""

    def ending(self) -> str:
        """How the connection ended."""


class Speech:
    """A protocol.

    Attributes:
        path: what is asked for at the handshake.
    """

    path = ""

    def __init__(self, client: Speaker) -> None:
        self.client = client

    def greet(self) -> None:
        """What is said first."""
        raise NotImplementedError

    def request(self, number: str, method: str, params: Sequence[Any]) -> dict[str, Any]:
        """A call."""
        raise NotImplementedError

    def hear(self, message: dict[str, Any]) -> None:
        """A message from the middleware."""
        raise NotImplementedError

    def watch_jobs(self, wanted: bool) -> None:
        """See to it that jobs are followed before a call that begins one."""
        if wanted:
            self.client.watch()

    def subscribe(self, name: str, timeout: float) -> str:
        """Ask for events."""
        raise NotImplementedError

    def ping(self, timeout: float) -> Any:
        """Ask whether anybody is there."""
        raise NotImplementedError

    def job_event(self, event: dict[str, Any]) -> None:
        """A job's event, which may be the answer to a call."""


class _Modern(Speech):
    path = "/api/current"

    def __init__(self, client: Speaker, job_answers: bool) -> None:
        super().__init__(client)
        self._job_answers = job_answers
        self._greeted = False

    def greet(self) -> None:
        options = {"py_exceptions": False}
        if self._job_answers:
            options |= {"legacy_jobs": False, "private_methods": False}
        self.client.call("core.set_options", options, timeout=_GREET_S)
        self._greeted = True

    def watch_jobs(self, wanted: bool) -> None:
        if not (self._job_answers and self._greeted):
            super().watch_jobs(wanted)
            return
        # Any call may be a job's, whose number comes with its first event. Who has no session is
        # told so by the call itself.
        try:
            self.client.watch()
        except ClientException as error:
            if error.errno != ClientException.ENOTAUTHENTICATED:
                raise

    def request(self, number: str, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "method": method, "id": number, "params": list(params)}

    def hear(self, message: dict[str, Any]) -> None:
        if message.get("method") == "collection_update":
            self.client.event(message["params"])
        elif "error" in message:
            self.client.answered(message["id"], error=_error(message["error"]))
        elif "id" in message:
            self.client.answered(message["id"], message.get("result"))

    def subscribe(self, name: str, timeout: float) -> str:
        return str(self.client.call("core.subscribe", name, timeout=timeout))

    def ping(self, timeout: float) -> Any:
        return self.client.call("core.ping", timeout=timeout)

    def job_event(self, event: dict[str, Any]) -> None:
        if self._job_answers:
            for number in event["fields"]["message_ids"]:
                self.client.answered(number, event["id"])


class _Classic(Speech):
    path = "/websocket"

    def __init__(self, client: Speaker) -> None:
        super().__init__(client)
        self._greeted = threading.Event()
        self._refused = False
        self._waits: dict[str, threading.Event] = {}
        self._errors: dict[str, Any] = {}

    def greet(self) -> None:
        self.client.send({"msg": "connect", "version": "1", "support": ["1"], "features": []})
        if not self._greeted.wait(_GREET_S):
            raise ClientException("Failed connection handshake")
        if self._refused:
            raise ClientException("Unsupported protocol version")

    def request(self, number: str, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"msg": "method", "method": method, "id": number, "params": list(params)}

    def hear(self, message: dict[str, Any]) -> None:
        kind, number = message.get("msg"), str(message.get("id"))
        if kind in ("connected", "failed"):
            self._refused = kind == "failed"
            self._greeted.set()
        elif kind in ("added", "changed", "removed"):
            self.client.event(message)
        elif kind == "ready" or (kind in ("result", "pong") and number in self._waits):
            self._ready(message, [number, *message.get("subs", [])])
        elif kind == "result":
            error = _classic_error(message["error"]) if "error" in message else None
            self.client.answered(number, message.get("result"), error)

    def subscribe(self, name: str, timeout: float) -> str:
        number = str(uuid.uuid4())
        if not self._said({"msg": "sub", "id": number, "name": name}, number, timeout):
            raise ValueError("Did not receive a response to the subscription request")
        if number in self._errors:
            raise ValueError(self._errors[number])
        return number

    def ping(self, timeout: float) -> Any:
        number = str(uuid.uuid4())
        return self._said({"msg": "ping", "id": number}, number, timeout)

    def _said(self, message: dict[str, Any], number: str, timeout: float) -> bool:
        self._waits[number] = threading.Event()
        self.client.send(message)
        try:
            return self._waits[number].wait(timeout)
        finally:
            del self._waits[number]

    def _ready(self, message: dict[str, Any], numbers: list[str]) -> None:
        for number in numbers:
            if number in self._waits:
                if "error" in message:
                    self._errors[number] = message["error"]
                self._waits[number].set()


def modern(client: Speaker, job_answers: bool) -> Speech:
    """JSON-RPC 2.0.

    Args:
        client: the client.
        job_answers: the middleware answers a job's call by the job's result.
    """
    return _Modern(client, job_answers)


def classic(client: Speaker) -> Speech:
    """The older protocol."""
    return _Classic(client)


def _error(error: dict[str, Any]) -> ClientException:
    data = error.get("data") or {}
    if error["code"] == _INVALID_PARAMS:
        return ValidationErrors(data["extra"])
    if error["code"] == _CALL_ERROR:
        return ClientException(data["reason"], data["error"], data["trace"], data["extra"])
    return ClientException(error.get("message") or str(error["code"]))


def _classic_error(error: dict[str, Any]) -> ClientException:
    if error.get("trace") and error.get("type") == "VALIDATION":
        return ValidationErrors(error["extra"])
    return ClientException(
        error["reason"], error.get("error"), error.get("trace"), error.get("extra")
    )
