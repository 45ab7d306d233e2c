"""Who took a stack down, and when: from the lines of a host's journal. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_WITHOUT_EFFECT = "refused"


@dataclass(frozen=True, slots=True)
class TakenDown:
    """That a stack was taken down on purpose.

    Attributes:
        who: user and machine; empty when the journal does not say.
        at: when it was down, ISO 8601 in UTC, by the host's clock.
    """

    who: str
    at: str

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {"who": self.who, "at": self.at}


def taken_down(journal: bytes) -> TakenDown | None:
    """Whether the last thing that changed what runs was to take it down.

    Args:
        journal: its last lines, or only those of outcomes and of what was to take it down. A line
            that can't be read, as one that a loss of power broke off, is passed over.
    """
    who, found = "", None
    for line in journal.splitlines():
        entry = _entry(line)
        if entry.get("event") == "intent" and entry.get("down") is True:
            who = str(entry.get("who", ""))
        elif entry.get("event") == "outcome" and entry.get("outcome") == "down":
            found = TakenDown(who, str(entry.get("time", "")))
        elif entry.get("event") == "outcome" and entry.get("outcome") != _WITHOUT_EFFECT:
            found = None
    return found


def _entry(line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
