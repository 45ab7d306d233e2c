"""Secrets stay hidden, errors carry their codes, reports go where they belong."""

from __future__ import annotations

import copy
import io
import itertools
import json
import pickle
import threading
from pathlib import Path

import pytest

from slipway import errors
from slipway.errors import CommandFailed, ConfigError, Problem, SlipwayError
from slipway.report import LOG_LINE_S, LOOK_S, Report, alive, human_bytes, table
from slipway.secret import Secret

ROOT = Path(__file__).parents[3]
CANARY = "canary-7f3a"


def test_a_secret_never_shows() -> None:
    """No way of printing a secret shows it, but revealing it does."""
    secret = Secret(CANARY)

    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", f"{[secret]}"]

    assert not any(CANARY in text for text in shown)
    assert secret.reveal() == CANARY


@pytest.mark.parametrize("way", [pickle.dumps, json.dumps, copy.deepcopy])
def test_a_secret_does_not_travel(way: object) -> None:
    """A secret can't be pickled, copied or put into JSON."""
    with pytest.raises(TypeError):
        way(Secret(CANARY))  # type: ignore[operator]


def every_error(base: type[SlipwayError]) -> list[type[SlipwayError]]:
    return [base, *(e for sub in base.__subclasses__() for e in every_error(sub))]


def test_every_error_has_its_exit_code() -> None:
    """Each kind of error ends with the code that the tree in errors.py promises."""
    codes = {
        "ConfigError": 2, "SupplyError": 3, "LockError": 3, "FetchError": 3, "BuildError": 3,
        "HostError": 4, "HostUnreachable": 4,
        "HostAway": 4,
        "RegistryError": 4, "CommandFailed": 4, "DeployError": 5,
        "DeployBroken": 6, "Interrupted": 130, "KnownHoles": 7,
    }  # fmt: skip
    own = [e for e in every_error(SlipwayError)[1:] if e.__module__ == errors.__name__]

    assert {e.__name__: e.exit_code for e in own} == codes
    assert all(name in (errors.__doc__ or "") for name in codes)


def test_an_error_as_json() -> None:
    """The JSON form has the four promised fields."""
    error = ConfigError("bad", hint="do this", stage="config")

    assert error.to_json() == {
        "error": "bad", "stage": "config", "hint": "do this", "exit_code": 2,
    }  # fmt: skip


def test_a_failed_command_keeps_its_last_lines() -> None:
    """A failed command shows its last twenty lines of standard error."""
    error = CommandFailed(["x"], 3, "\n".join(str(n) for n in range(30)), where="nas")

    assert error.details[0] == "10"
    assert "on nas ended with code 3" in error.message


def test_problems_are_listed() -> None:
    """An error made of problems names the file and each place in it."""
    error = ConfigError.from_problems("a.toml", [Problem("x.y", "is missing"), Problem("", "odd")])

    assert "2 problems" in error.message
    assert error.details == ("a.toml: x.y: is missing", "a.toml: odd")


def test_talk_and_data_are_apart() -> None:
    """Talk goes to standard error and data to standard output, without colours in a file."""
    out, err = io.StringIO(), io.StringIO()
    report = Report(out=out, err=err)

    report.step("build", "nine images")
    report.data({"a": 1})
    report.error(ConfigError("no", hint="yes", stage="config"))

    assert json.loads(out.getvalue()) == {"a": 1}
    assert "\x1b" not in err.getvalue()
    assert "hint: yes" in err.getvalue()


def test_progress_ends_with_the_whole() -> None:
    """A finished count shows how much there was."""
    err = io.StringIO()
    progress = Report(err=err).progress("sent", 2_000_000)
    progress.advance(2_000_000)
    progress.done()

    assert "2.0 MB of 2.0 MB 100 %" in err.getvalue()


def test_a_count_that_stands_is_shown() -> None:
    """Whoever watches a log hears of it each few seconds, and for how long nothing has moved."""
    err, now = io.StringIO(), [0.0]
    progress = Report(err=err, now=lambda: now[0]).progress("api", 100, unit="images")
    told_at, told = [0.0], ""
    for second in range(1, 41):
        now[0] = float(second)
        if second <= 12:
            progress.advance(1)
        progress.still()
        if err.getvalue() != told:
            told_at.append(now[0])
            told = err.getvalue()

    assert max(b - a for a, b in itertools.pairwise(told_at)) <= LOG_LINE_S + LOOK_S
    notes = [line.split("%")[-1].strip() for line in told.splitlines()]
    assert notes == ["", "", "", *(f"waiting for {seconds} s" for seconds in (8, 13, 18, 23, 28))]


def test_a_count_that_moves_is_not_said_to_stand() -> None:
    """Slow as it may be."""
    err, now = io.StringIO(), [0.0]
    progress = Report(err=err, now=lambda: now[0]).progress("api", 100, unit="images")
    for second in range(1, 41):
        now[0] = float(second)
        if second % 4 == 0:
            progress.advance(1)
        progress.still()

    assert "waiting" not in err.getvalue()
    assert len(err.getvalue().splitlines()) >= 5


def test_a_count_is_looked_at_while_work_goes_on() -> None:
    """From beside, again and again; not any more once the work has ended."""

    class Watched:
        looks = 0
        twice = threading.Event()

        def still(self) -> None:
            self.looks += 1
            if self.looks > 1:
                self.twice.set()

        def advance(self, amount: int, note: str = "") -> None: ...

        def expect(self, amount: int) -> None: ...

        def done(self) -> None: ...

    watched, threads = Watched(), threading.active_count()
    with alive(watched, every_s=0.001):
        assert watched.twice.wait(60)
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (52_800_000, "52.8 MB")]
)
def test_human_bytes(count: int, text: str) -> None:
    """Byte counts are written in powers of 1000."""
    assert human_bytes(count) == text


def test_table_aligns() -> None:
    """Columns are as wide as their widest cell."""
    assert table([["a", "long"], ["bb", "x"]], head=["one", "two"]).splitlines() == [
        "one  two", "a    long", "bb   x",
    ]  # fmt: skip


class Gone(io.StringIO):
    """A pipe whose reader left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_talk_that_nobody_hears_ends_no_work() -> None:
    """Where the terminal or the reader of a pipe is gone, a deploy goes on, or back, silently."""
    report = Report(err=Gone())
    report.step("up", "3 of 8 services change")
    report.warn("going back")
    report.error(SlipwayError("broken", hint="mend it"))
    report.progress("images", 10).done()
