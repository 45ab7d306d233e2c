"""Where the time of a deploy goes."""

from __future__ import annotations

from typing import Any

from slipway.app.speeds import until
from slipway.app.timeline import figures

OUTCOME: dict[str, Any] = {
    "seconds": 11.25,
    "steps": [
        {"name": "plan", "seconds": 1.0, "parts": []},
        {
            "name": "roll",
            "seconds": 3.0,
            "parts": [
                {"service": "api", "name": "start", "seconds": 0.5},
                {"service": "web", "name": "start", "seconds": 0.5},
                {"service": "api", "name": "healthy", "seconds": 2.0},
                {"service": "api", "name": "switch", "seconds": 2.75},
            ],
        },
        {"name": "verify", "seconds": 0.5, "parts": []},
        {"name": "smoke", "seconds": 1.25, "parts": []},
        {"name": "soak", "seconds": 2.0, "parts": []},
        {"name": "record", "seconds": 0.25, "parts": []},
        {"name": "retire", "seconds": 1.0, "parts": []},
    ],
}


def test_the_parts_of_a_deploy_add_up() -> None:
    """A part counts from the one before of its service; what is between the steps is named."""
    shown = [(one.name.strip(), one.value) for one in figures(13.25, OUTCOME)]
    assert shown == [
        ("build, and what else comes before", 2.0), ("plan", 1.0), ("roll", 3.0),
        ("roll api: start", 0.5), ("roll web: start", 0.5), ("roll api: healthy", 1.5),
        ("roll api: switch", 0.75), ("verify", 0.5), ("smoke", 1.25), ("soak", 2.0),
        ("record", 0.25), ("retire", 1.0), ("between the steps", 2.25),
        ("edit to verified live", 8.75),
        ("the whole command", 13.25),
    ]  # fmt: skip


def test_what_follows_the_checks_does_not_count_to_live() -> None:
    """A deploy that had nothing to watch and to end was live when it ended."""
    ended = {"steps": [step for step in OUTCOME["steps"] if step["name"] in ("plan", "verify")]}
    assert until(4.0, ended, "verify") == 4.0
    assert until(13.25, OUTCOME, "verify") == 8.75
    assert until(13.25, OUTCOME, "smoke") == 10.0
