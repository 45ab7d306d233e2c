"""A look at a rehearsal host: it is booted anew for what is found wrong, so that must be true."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from slipway.hosts.rehearsal import Rehearsals, machine, state
from slipway.hosts.rehearsal.values import RehearsalInfo
from slipway.report import Report
from slipway.testing import FakeClock, FakeShell

INFO = RehearsalInfo(
    "home", "10.213.0.2", 22, "root", "/k", "/h", "/t", "/s", "2026-01-02T03:04:05+00:00", "26"
)


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str | None]:
    """Look at a host that runs and answers so; what is wrong with it."""

    def look(ssh: Iterator[bool], docker: Iterator[str | None]) -> str | None:
        monkeypatch.setattr(machine, "require_root", lambda: None)
        monkeypatch.setattr(machine, "processes", lambda marker: [7])
        monkeypatch.setattr(machine, "ssh_answers", lambda address, port: next(ssh))
        monkeypatch.setattr(machine, "docker_version", lambda pid: next(docker))
        monkeypatch.setattr(state, "read_info", lambda places: INFO)
        monkeypatch.setattr(state, "is_init", lambda pid: True)
        report = Report(err=io.StringIO(), out=io.StringIO())
        hosts = Rehearsals(tmp_path, shell=FakeShell(), clock=FakeClock(), report=report)
        found = hosts.status("home")
        assert found is not None
        return found.problem

    return look


def test_one_that_is_busy_is_asked_again(seen: Callable[..., str | None]) -> None:
    """A moment without an answer is no reason to boot it, and end all that runs on it."""
    late = chain(repeat(False, 20), repeat(True))
    assert seen(late, chain(repeat(None, 20), repeat("26"))) is None


def test_one_that_stays_silent_is_ill(seen: Callable[..., str | None]) -> None:
    """sshd first: without it nobody can look at the rest."""
    assert seen(repeat(False), repeat("26")) == "its sshd does not answer"
    assert seen(repeat(True), repeat(None)) == "its Docker engine does not answer"
