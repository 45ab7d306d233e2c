"""The latest run on a host: what is being changed there, or how that ended. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ALIVE, LOST, ENDED, TOLD = "alive", "lost", "ended", "told"


@dataclass(frozen=True, slots=True)
class LastRun:
    """The latest run.

    Attributes:
        id: its id.
        who: user and machine that started it.
        what: such as ``deploy 20261123-205101-ab12cd``.
        since: when it began, ISO 8601 in UTC, by the starter's clock.
        state: ``alive`` while the host works at it; ``lost`` when its process is gone and it has no
            end; ``ended`` when nobody was there to hear of it; ``told`` otherwise.
        end: how it ended, when its state is ``ended``.
    """

    id: str
    who: str
    what: str
    since: str
    state: str
    end: Mapping[str, Any] | None = None

    @property
    def open(self) -> bool:
        """Whether somebody should see to it: it goes on, was broken off, or ended unheard."""
        return self.state in (ALIVE, LOST, ENDED)

    def to_json(self) -> dict[str, object]:
        """What ``status --json`` prints of it."""
        return {
            "run": self.id,
            "who": self.who,
            "what": self.what,
            "since": self.since,
            "state": self.state,
        }


def parse_run(found: Mapping[str, bytes]) -> LastRun | None:
    """What a folder's script printed of it; one that can't be read is as none."""
    try:
        about = json.loads(found["run"])
        state = found["run-state"].decode()
        end = json.loads(found["run-end"]) if state == ENDED else None
        holder = about["holder"]
        return LastRun(
            str(about["run"]), str(holder["who"]), str(holder["what"]), str(holder["since"]),
            state, end,
        )  # fmt: skip
    except (KeyError, ValueError, TypeError):
        return None
