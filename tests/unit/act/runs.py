"""Deploys of the sample application on a host in memory."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.demo import World, wanted

from slipway.act.deploy import deploy
from slipway.act.outcome import Outcome

PENDING = [{"revision": "a1", "message": "create tables"}]


def run(made: World, **changes: Any) -> Outcome:
    """Deploy a minute later."""
    made.clock.seconds += 60
    return deploy(wanted(**changes), made.doors, "token").outcome


def first(made: World, **changes: Any) -> Outcome:
    """The first deploy; what it did is forgotten."""
    made.engine.pending = PENDING
    outcome = run(made, **changes)
    made.engine.pending = []
    made.engine.commands.clear()
    made.engine.loads.clear()
    return outcome


def journal(made: World) -> list[dict[str, object]]:
    """The lines of the host's journal."""
    text = made.folder.files.get("journal.jsonl", b"").decode()
    return [json.loads(line) for line in text.splitlines()]
