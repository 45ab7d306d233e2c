"""Server-sent events out of bytes that come in any pieces.

The format is that of the HTML standard, 9.2.6 "Interpreting an event stream": UTF-8, lines that
end in CR LF, LF or CR, an empty line after each event.  What the API does not send (``id``) is
passed over like an unknown field, as is ``retry``: the client's own pause is as long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: An event that is larger is not the API's, in bytes.
MAX_EVENT = 1024 * 1024
BOM = b"\xef\xbb\xbf"
_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, ``message`` when it has none, and its data."""

    name: str
    data: str


class Parser:
    """Takes the stream's bytes and gives the events that they complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False
        self._name = ""
        self._data: list[str] = []
        self._held = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that end in ``chunk``; raises ValueError at one above MAX_EVENT."""
        self._rest += chunk
        if not self._begun:
            if BOM.startswith(self._rest):
                return []  # the first bytes may still become a mark
            self._begun = True
            self._rest = self._rest.removeprefix(BOM)
        events = [event for line in self._lines() if (event := self._take(line)) is not None]
        if len(self._rest) + self._held > MAX_EVENT:
            raise ValueError(f"an event of more than {MAX_EVENT} bytes")
        return events

    def _lines(self) -> list[bytes]:
        # A CR at the very end may be half of a CR LF: it waits for what follows.
        text = self._rest[:-1] if self._rest.endswith(b"\r") else self._rest
        *lines, rest = _END.split(text)
        self._rest = rest + self._rest[len(text) :]
        return lines

    def _take(self, line: bytes) -> Event | None:
        if not line:
            event = Event(self._name or "message", "\n".join(self._data)) if self._data else None
            self._name, self._data, self._held = "", [], 0
            return event
        field, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
            self._held += len(line)
        elif field == "event":
            self._name = value
        return None
