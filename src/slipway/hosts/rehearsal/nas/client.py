"""The module that programs on the host call the middleware with: ``truenas_api_client``.

The same public face as far as one needs it: :class:`Client` with ``call``, ``subscribe``, ``ping``,
``close``. Source: ``truenas_api_client/__init__.py`` and ``legacy.py`` of the client.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import ejson
from .exc import CallTimeout, ClientException
from .following import JobState
from .frames import Gone
from .link import PREFIX, Link
from .speech import Speech, classic, modern

DIALECT = json.loads(Path(__file__).with_name("dialect.json").read_text("utf-8"))
CALL_TIMEOUT = int(os.environ.get("CALL_TIMEOUT", "60"))
_CLOSE_S = 1.0
_SUBSCRIBE_S = 10.0
_UNSET = object()
JOBS = "core.get_jobs"

JobCallback = Callable[[dict[str, Any]], None]
EventCallback = Callable[..., None]


class Pending:
    """A call that waits for its answer."""

    def __init__(self) -> None:
        self.id = str(uuid.uuid4())
        self.returned = threading.Event()
        self.result: Any = None
        self.error: ClientException | None = None

    def finish(self, result: Any = None, error: ClientException | None = None) -> None:
        """The answer is here."""
        self.result, self.error = result, error
        self.returned.set()


class Job:
    """A job that a call began."""

    def __init__(self, client: Client, job_id: int, callback: JobCallback | None) -> None:
        self.job_id = job_id
        self._state = client.job_state(job_id)
        self._state.callback = callback

    def result(self) -> Any:
        """Its result, when it is over.

        Raises:
            ValidationErrors: its arguments were wrong.
            ClientException: it failed otherwise, or the connection ended.
        """
        self._state.over.wait()
        return self._state.outcome()


class Client:
    """A connection to the middleware."""

    def __init__(self, uri: str | None = None, call_timeout: Any = _UNSET, **unused: Any) -> None:
        """Connect.

        Args:
            uri: the socket, ``ws+unix://PATH``; the middleware's own when it is None.
            call_timeout: seconds a call may take; ``CALL_TIMEOUT`` of the environment, or 60.

        Raises:
            OSError: nobody listens there.
            ClientException: whoever does is no middleware.
        """
        uri = uri or f"{PREFIX}{DIALECT['run_folder']}/middlewared.sock"
        legacy = not DIALECT["json_rpc"] or uri.endswith("/websocket")
        self._timeout = CALL_TIMEOUT if call_timeout is _UNSET else call_timeout
        self._calls: dict[str, Pending] = {}
        self._jobs: dict[int, JobState] = {}
        self._events: dict[str, list[dict[str, Any]]] = {}
        self._guard = threading.RLock()
        self._over = threading.Event()
        self._watching = False
        self.closed_by: tuple[int | None, str | None] | None = None
        self._speech: Speech = classic(self) if legacy else modern(self, DIALECT["job_answers"])
        try:
            self._link = Link(uri.removeprefix(PREFIX), self._speech.path)
        except Gone as error:
            raise ClientException(str(error) or "Failed connection handshake") from error
        self._link.listen(self._hear, self._end)
        self._speech.greet()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def call(self, method: str, *params: Any, job: Any = False, callback: Any = None,
             timeout: Any = _UNSET, background: bool = False) -> Any:  # fmt: skip
        """Call a method.

        Args:
            method: its name.
            params: its arguments.
            job: wait for the job that it begins and give its result; ``"RETURN"`` gives the
                :class:`Job`.
            callback: is told of each change of the job.
            timeout: seconds until the answer; a job has all the time it needs.
            background: give the call itself, at once.

        Raises:
            CallTimeout: no answer came in time.
            ValidationErrors: arguments are wrong.
            ClientException: it failed otherwise.
        """
        self._speech.watch_jobs(bool(job))
        pending = self.ask(lambda number: self._speech.request(number, method, params))
        if background:
            return pending
        result = self.wait(pending, self._timeout if timeout is _UNSET else timeout)
        if not job:
            return result
        begun = Job(self, result, callback)
        return begun if job == "RETURN" else begun.result()

    def ask(self, request: Callable[[str], dict[str, Any]]) -> Pending:
        """Send a request; its answer is to come."""
        pending = Pending()
        with self._guard:
            self._calls[pending.id] = pending
        self.send(request(pending.id))
        return pending

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        try:
            self._link.send(ejson.dumps(message))
        except Gone as error:
            text = "Unexpected closure of remote connection"
            if self.closed_by is not None:
                text = self.ending()
            raise ClientException(text, errno.ECONNABORTED) from error

    def wait(self, pending: Pending, timeout: float | None) -> Any:
        """The answer to a call."""
        try:
            if not pending.returned.wait(timeout):
                raise CallTimeout
        finally:
            with self._guard:
                self._calls.pop(pending.id, None)
        if pending.error is not None:
            raise pending.error
        return pending.result

    def answered(self, number: Any, result: Any = None, error: Any = None) -> None:
        """An answer came."""
        with self._guard:
            pending = self._calls.pop(number, None)
        if pending is not None:
            pending.finish(result, error)

    def event_payload(self) -> dict[str, Any]:
        """An empty subscription."""
        return {"callback": None, "event": threading.Event()}

    def subscribe(self, name: str, callback: EventCallback, payload: Any = None) -> str:
        """Have a callback told of events: what kind, and the event."""
        payload = payload or self.event_payload()
        payload["callback"] = callback
        with self._guard:
            self._events.setdefault(name, []).append(payload)
        payload["id"] = self._speech.subscribe(name, _SUBSCRIBE_S)
        return str(payload["id"])

    def ping(self, timeout: float = 10) -> Any:
        """Whether it answers."""
        return self._speech.ping(timeout)

    def close(self) -> None:
        """End the connection."""
        self._link.close()
        self._over.wait(_CLOSE_S)

    def watch(self) -> None:
        """Follow all jobs from now on."""
        if not self._watching:
            self._watching = True
            self._speech.subscribe(JOBS, _SUBSCRIBE_S)

    def job_state(self, number: int) -> JobState:
        """What is known of a job."""
        with self._guard:
            state = self._jobs.setdefault(number, JobState())
        if self.closed_by is not None:
            state.lost(self.ending())
        return state

    def event(self, event: dict[str, Any]) -> None:
        """An event came."""
        if event["collection"] == JOBS and "fields" in event:
            self._speech.job_event(event)
            self.job_state(event["fields"]["id"]).take(event["msg"], event["fields"])
        with self._guard:
            told = [*self._events.get(event["collection"], []), *self._events.get("*", [])]
        for payload in told:
            payload["callback"](event["msg"].upper(), **event)

    def ending(self) -> str:
        """How the connection ended."""
        code, reason = self.closed_by or (None, None)
        return f"WebSocket connection closed with code={code!r}, reason={reason!r}"

    def _hear(self, text: str) -> None:
        message = ejson.loads(text)
        if isinstance(message, dict):
            self._speech.hear(message)

    def _end(self, code: int | None, reason: str | None) -> None:
        self.closed_by = (code, reason)
        with self._guard:
            calls, jobs = list(self._calls.values()), list(self._jobs.values())
        for pending in calls:
            pending.finish(error=ClientException(self.ending(), errno.ECONNABORTED))
        for state in jobs:
            state.lost(self.ending())
        self._over.set()
