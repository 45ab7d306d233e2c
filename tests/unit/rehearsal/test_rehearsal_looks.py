"""A look at a rehearsal host: it is booted anew for what is found wrong, so that must be true."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from slipway.hosts.rehearsal import Rehearsals, machine, state
from slipway.hosts.rehearsal.values import RehearsalInfo
from slipway.report import Report
from slipway.testing import FakeClock, FakeShell

INFO = RehearsalInfo(
    "home", "10.213.0.2", 22, "root", "/k", "/h", "/t", "/s", "2026-01-02T03:04:05+00:00", "26"
)


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rehearsals:
    """One host, ``home``, which runs."""
    monkeypatch.setattr(machine, "require_root", lambda: None)
    monkeypatch.setattr(machine, "processes", lambda marker: [7])
    monkeypatch.setattr(state, "read_info", lambda places: INFO)
    monkeypatch.setattr(state, "is_init", lambda pid: True)
    report = Report(err=io.StringIO(), out=io.StringIO())
    return Rehearsals(tmp_path, shell=FakeShell(), clock=FakeClock(), report=report)


@pytest.fixture
def seen(hosts: Rehearsals, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str | None]:
    """Look at a host that runs and answers so; what is wrong with it."""

    def look(ssh: Iterator[bool], docker: Iterator[str | None]) -> str | None:
        monkeypatch.setattr(machine, "ssh_answers", lambda address, port: next(ssh))
        monkeypatch.setattr(machine, "docker_version", lambda pid: next(docker))
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


def test_one_that_just_answered_is_not_asked_again(
    hosts: Rehearsals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its server would count connections on which nobody logs in, and refuse all for a while."""

    def nobody(*_: Any) -> bool:
        raise AssertionError("it was asked")

    monkeypatch.setattr(machine, "ssh_answers", nobody)
    monkeypatch.setattr(machine, "docker_version", nobody)
    monkeypatch.setattr(state, "checked_tree", lambda tree: tree)
    monkeypatch.setattr(Rehearsals, "_made_from", lambda self, places: "these programs")
    monkeypatch.setattr(Rehearsals, "_fingerprint", lambda self, *_: "these programs")
    noted = hosts.noted("home")
    assert noted == INFO
    assert hosts.up("home", Path("/t"), answering=noted) == INFO
    # It was booted anew meanwhile, or is gone: whoever answered was another one.
    monkeypatch.setattr(state, "read_info", lambda places: replace(INFO, booted_at="later"))
    with pytest.raises(AssertionError, match="it was asked"):
        hosts.up("home", Path("/t"), answering=noted)


def test_one_that_does_not_run_is_not_noted(
    hosts: Rehearsals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to connect to."""
    monkeypatch.setattr(state, "is_init", lambda pid: False)
    assert hosts.noted("home") is None
    monkeypatch.setattr(state, "read_info", lambda places: None)
    assert hosts.noted("home") is None
