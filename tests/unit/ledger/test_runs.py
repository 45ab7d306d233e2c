"""The latest run of a host, as its folder tells of it."""

from __future__ import annotations

import json

import pytest

from slipway.ledger.runs import ALIVE, ENDED, LastRun, parse_run

ABOUT = {"run": "r", "holder": {"who": "me@here", "what": "deploy r", "since": "noon"}}
FOUND = {"run": json.dumps(ABOUT).encode(), "run-state": b"alive", "run-end": b""}
RUN = LastRun("r", "me@here", "deploy r", "noon", ALIVE)


def test_who_is_at_work_is_read() -> None:
    """An end is looked for only where nobody heard of one."""
    assert parse_run(FOUND) == RUN
    ended = {**FOUND, "run-state": b"ended", "run-end": b'{"outcome": "done"}'}
    assert parse_run(ended) == LastRun(
        "r", "me@here", "deploy r", "noon", ENDED, {"outcome": "done"}
    )


@pytest.mark.parametrize(
    "damage",
    [
        {"run": b"{"}, {"run": b"[]"}, {"run": b"{}"}, {"run": b'{"run": "r", "holder": 1}'},
        {"run": b"\xff"}, {"run-state": b"\xff"}, {"run-state": b"ended", "run-end": b"{"},
    ],
)  # fmt: skip
def test_a_run_that_can_not_be_read_is_as_none(damage: dict[str, bytes]) -> None:
    """It must not stand in the way of the next one."""
    assert parse_run({**FOUND, **damage}) is None
    assert parse_run({}) is None


def test_its_json() -> None:
    """``status --json`` prints who is at work, at what and since when."""
    assert RUN.to_json() == {
        "run": "r",
        "who": "me@here",
        "what": "deploy r",
        "since": "noon",
        "state": "alive",
    }
