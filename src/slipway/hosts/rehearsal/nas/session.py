"""What both protocols have in common: a client, its calls side by side, its subscriptions."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable
from typing import Any

from . import ejson, frames
from .jobs import Job
from .middleware import Method, Middleware
from .people import Person
from .wire import Wire

AT_ONCE = 10
AT_MOST = 20
ANONYMOUS_CHARACTERS = 8192
CHARACTERS = 65_536
EXTENDED_CHARACTERS = 2_097_152
EXTENDED = ("filesystem.file_receive", "failover.datastore.sql")


class TooBig(Exception):
    """A message is longer than it may be (``utils/limits.py``).

    Attributes:
        code: the closing code.
    """

    def __init__(self, anonymous: bool) -> None:
        limit = (
            "Anonymous connection max message length is 8 kB"
            if anonymous
            else "Max message length is 64 kB"
        )
        super().__init__(limit)
        self.code = frames.BAD_TEXT if anonymous else frames.TOO_BIG


class TooMany(Exception):
    """More calls at once than one connection may have."""


def parse(text: str, authenticated: bool) -> dict[str, Any]:
    """A message.

    Raises:
        TooBig: it is longer than this client's may be.
        ValueError: it is no message.
    """
    if not authenticated and len(text) > ANONYMOUS_CHARACTERS:
        raise TooBig(anonymous=True)
    if len(text) > EXTENDED_CHARACTERS:
        raise TooBig(anonymous=False)
    message = ejson.loads(text)
    if not isinstance(message, dict):
        batch = "Batch messages are not supported at this time"
        raise ValueError(batch if isinstance(message, list) else "Invalid Message Format")
    if len(text) > CHARACTERS and message.get("method") not in EXTENDED:
        raise TooBig(anonymous=False)
    return message


class Session:
    """A client that is connected.

    Attributes:
        middleware: the middleware.
        person: who it is; None when nobody the middleware gives a session.
        subscriptions: identity to the name of an event.
    """

    def __init__(self, middleware: Middleware, wire: Wire, person: Person | None) -> None:
        self.middleware = middleware
        self.person = person
        self.number = str(uuid.uuid4())
        self.subscriptions: dict[str, str] = {}
        self._wire = wire
        self._calls = 0
        self._guard = threading.Lock()
        self._slots = threading.Semaphore(AT_ONCE)

    def serve(self) -> None:
        """Answer messages until the client is gone or has to go."""
        self.middleware.join(self)
        try:
            while (text := self._wire.receive()) is not None:
                self.receive(text)
        except TooBig as error:
            self._wire.close(error.code, str(error))
        finally:
            self.middleware.leave(self)

    def receive(self, text: str) -> None:
        """A message from the client."""
        raise NotImplementedError

    def hear(self, name: str, kind: str, number: object, fields: object) -> None:
        """An event; sent when the client asked for it."""
        if {name, "*"} & set(self.subscriptions.values()):
            event: dict[str, Any] = {"msg": kind.lower(), "collection": name, "id": number}
            if kind != "REMOVED":
                event["fields"] = fields
            self.send_event(event)

    def send_event(self, event: dict[str, Any]) -> None:
        """Send an event."""
        raise NotImplementedError

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; a client that is gone misses it."""
        with contextlib.suppress(frames.Gone):
            self._wire.send(ejson.dumps(message))

    def close(self, code: int, reason: str) -> None:
        """Have the client go."""
        self._wire.close(code, reason)

    def subscribe(self, name: str, identity: str = "") -> str:
        """Have events of a collection sent from now on; the subscription's identity."""
        identity = identity or str(uuid.uuid4())
        self.subscriptions[identity] = name
        return identity

    def aside(self, work: Callable[[], None]) -> None:
        """Do it beside what else this client asked for; at most so many at a time.

        Raises:
            TooMany: there are as many already.
        """
        with self._guard:
            if self._calls >= AT_MOST:
                raise TooMany
            self._calls += 1

        def run() -> None:
            try:
                with self._slots:
                    work()
            finally:
                with self._guard:
                    self._calls -= 1

        threading.Thread(target=run, daemon=True).start()

    def begin(self, method: Method, params: list[Any], message: object) -> Any:
        """Call a method as this client; its result, or its job."""
        self.middleware.authorize(method, self.person)
        return self.middleware.begin(
            method, params, person=self.person, session=self, message=message
        )


def number_of(result: Any) -> Any:
    """A job is answered by its number."""
    return result.id if isinstance(result, Job) else result
