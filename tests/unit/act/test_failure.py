"""What a failed deploy ends with: its cause, with stage, hint and lines, and what runs now."""

from __future__ import annotations

import pytest

from slipway.act.failure import PlanIsStale, broken, cause, ended, untouched, went_back
from slipway.errors import DeployError, HostError, Interrupted, SlipwayError
from slipway.runner.failure import Cause

CAUSE = DeployError("it broke", hint="mend it", stage="up", details=["a line"])


def told(error: SlipwayError) -> tuple[str, str | None, str | None, list[str]]:
    """Message, hint, stage and details."""
    return (error.message, error.hint, error.stage, list(error.details))


def test_nothing_was_touched() -> None:
    """It is said once; an error of the host stays as it is."""
    said = "it broke; nothing that runs was changed"
    assert told(untouched(CAUSE)) == (said, "mend it", "up", ["a line"])
    refused = DeployError("no room; nothing was changed", stage="preflight")
    assert untouched(refused).message == "no room; nothing was changed"
    lost = HostError("gone")
    assert untouched(lost) is lost


@pytest.mark.parametrize(
    ("live", "now"),
    [
        ("r1", "r1 is serving again"),
        (None, "there was no release before it: the stack was taken down, data was kept"),
    ],
)
def test_it_went_back(live: str | None, now: str) -> None:
    """What runs now is in the message; without a hint of the cause's there is a general one."""
    error = went_back(CAUSE, live)
    assert told(error) == (f"it broke; {now}", "mend it", "up", ["a line"])
    assert error.exit_code == 5
    bare = went_back(Interrupted("interrupted"), live)
    assert (bare.hint, bare.exit_code) == ("mend the cause and deploy again", 130)


def test_it_could_not_go_back() -> None:
    """Both failures are named, each with its lines."""
    error = broken(CAUSE, HostError("gone", details=["why"]))
    assert told(error) == (
        "it broke; going back failed too: gone. Data was not touched",
        "look with `./inv status` and `./inv logs`, then deploy a good state",
        "up",
        ["a line", "going back:", "why"],
    )
    assert (
        "going back failed too: interrupted." in broken(CAUSE, cause(KeyboardInterrupt())).message
    )
    assert error.exit_code == 6


@pytest.mark.parametrize(
    ("kind", "error"),
    [("failed", DeployError), ("stale", PlanIsStale), ("interrupted", Interrupted)],
)
def test_what_the_host_said_is_told_whole(kind: str, error: type[SlipwayError]) -> None:
    """Message, lines, hint and stage cross over, and what kind of end it was."""
    said = Cause("it broke", ("a line",), "mend it", "up", kind).to_json()
    found = ended({"outcome": "untouched", "cause": said}, "r1")
    assert type(found) is error
    assert told(found) == ("it broke; nothing that runs was changed", "mend it", "up", ["a line"])
    bare = ended({"outcome": "untouched", "cause": Cause("it broke", kind=kind).to_json()}, "r1")
    assert bare is not None
    assert told(bare)[1:] == (None, None, [])


def test_a_run_without_an_end() -> None:
    """The host was asked and knows nothing of it: somebody has to look."""
    lost = ended({}, "r1")
    assert lost is not None
    assert told(lost) == ("the host lost track of it", "./inv status", "follow", [])
    assert ended({"outcome": "done"}, "r1") is None


def test_a_second_failure_without_details_has_no_heading_for_them() -> None:
    """A heading over nothing reads as if lines were lost."""
    assert list(broken(CAUSE, HostError("gone")).details) == ["a line"]
