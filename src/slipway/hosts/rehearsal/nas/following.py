"""What a client knows of a job, from the events it gets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .exc import ClientException, ValidationErrors

OVER = ("SUCCESS", "FAILED", "ABORTED")


class JobState:
    """A job, as far as events told.

    Attributes:
        over: set when it has ended, or the connection has.
        callback: is told of each change.
    """

    def __init__(self) -> None:
        self.over = threading.Event()
        self.callback: Callable[[dict[str, Any]], None] | None = None
        self._fields: dict[str, Any] = {}
        self._lost = ""

    def take(self, kind: str, fields: dict[str, Any]) -> None:
        """An event of it."""
        self._fields |= fields
        if self.callback is not None:
            self.callback(self._fields)
        if kind == "changed" and fields["state"] in OVER:
            self.over.set()

    def lost(self, why: str) -> None:
        """No more events come."""
        if not self.over.is_set():
            self._lost = why
            self.over.set()

    def outcome(self) -> Any:
        """Its result.

        Raises:
            ValidationErrors: its arguments were wrong.
            ClientException: it failed otherwise, or was lost sight of.
        """
        if self._lost:
            error = repr(ClientException(self._lost))
            trace = {"class": "Exception", "frames": [], "formatted": error, "repr": error}
            raise ClientException(error, trace=trace)
        job = self._fields
        if job["state"] == "SUCCESS":
            return job["result"]
        told = job["exc_info"] or {"type": None, "repr": None, "extra": None}
        if told["type"] == "VALIDATION":
            raise ValidationErrors(told["extra"] or [])
        trace = {
            "class": told["type"],
            "frames": [],
            "formatted": job["exception"],
            "repr": told["repr"],
        }
        raise ClientException(job["error"], trace=trace, extra=told["extra"])
