"""A host is gone up to while the checkout is read; what that came to is used or ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.composing import ROOT
from tests.unit.demo import World, world

from slipway.app import workspace
from slipway.app.approach import Approach
from slipway.app.supplies import Supplies
from slipway.app.target import Target
from slipway.errors import HostUnreachable
from slipway.hosts.config import HostEntry
from slipway.hosts.rehearsal import RehearsalInfo, Rehearsals
from slipway.report import Report
from slipway.testing import FakeClock, FakeShell

NAS = HostEntry("nas", "ssh", "/pool/demo", address="nas.example")
HOME = HostEntry("home", "rehearsal", "/pool/demo")
FIRST = RehearsalInfo(
    "home", "10.213.0.2", 22, "root", "/k", "/h", "/t", "/s", "2026-01-02T03:04:05+00:00", "26"
)
SECOND = replace(FIRST, booted_at="2026-01-02T03:05:00+00:00")
GONE = HostUnreachable("nas can't be reached", hint="look")


class Hosts(Rehearsals):
    """Rehearsal hosts: what is noted of one, and what a look and a boot find."""

    def __init__(self, noted: RehearsalInfo | None, up: RehearsalInfo = FIRST) -> None:
        super().__init__(Path(), shell=FakeShell(), clock=FakeClock(), report=Report(quiet=True))
        self._noted, self._up = noted, up
        self.answering: list[RehearsalInfo | None] = []

    def noted(self, name: str) -> RehearsalInfo | None:
        """What it was given."""
        return self._noted

    def status(self, name: str) -> RehearsalInfo | None:
        """The same."""
        return self._noted

    def up(
        self,
        name: str,
        tree: Path,
        *,
        release: str | None = None,
        answering: RehearsalInfo | None = None,
    ) -> RehearsalInfo:
        """The host that is up then."""
        self.answering.append(answering)
        return self._up


class Opened:
    """Opens hosts, and notes them."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.worlds: list[World] = []
        self.boots: list[RehearsalInfo | None] = []
        self.closed = threading.Event()

    def __call__(self, entry: HostEntry, info: RehearsalInfo | None) -> Target:
        """Give a host of which the first question fails, when it should."""
        made = world()
        self.worlds.append(made)
        self.boots.append(info)
        made.engine.unreachable, self.error = self.error, None
        made.host.close = self.closed.set  # type: ignore[method-assign]
        return Target(entry, "10.0.0.2", made.doors)


def tree() -> Path:
    """Programs to boot from."""
    return Path("/tree")


def looked_round(way: Approach) -> None:
    """Wait for the end of what it asked besides."""
    assert way._round is not None
    way._round.answer()


def test_a_host_that_answered_is_the_one_to_work_on() -> None:
    """It was asked once, by the way there."""
    opened = Opened()
    way = Approach(NAS, Hosts(None), opened, boots=True)
    target = way.settle(tree)
    assert target is way.arrive().target
    assert [made.engine.looks for made in opened.worlds] == [1]


def test_a_host_out_of_reach_is_told_before_anything_is_built() -> None:
    """With its own error; the connection that was begun is ended."""
    opened = Opened(GONE)
    with pytest.raises(HostUnreachable) as caught:
        Approach(NAS, Hosts(None), opened, boots=True).arrive()
    assert caught.value is GONE
    assert opened.closed.is_set()


def test_what_is_fetched_waits_for_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is built of what is there does not: the host is looked round at meanwhile."""
    done: list[str] = []

    def bring(supplies: Supplies, _: object) -> None:
        assert supplies.before is not None
        supplies.before()
        done.append("fetched")

    def outputs(*given: Any, prepare: Callable[[], object], **_: object) -> dict[str, Path]:
        prepare()
        return dict.fromkeys(given[3], Path())

    monkeypatch.setattr(workspace, "outputs", outputs)
    monkeypatch.setattr(workspace, "read_images", lambda *_: ())
    monkeypatch.setattr(Supplies, "bring", bring)
    made = workspace.Workspace(ROOT, Report(quiet=True))
    made.images(
        locked=True,
        first=lambda: done.append("building"),
        fetching=lambda: done.append("host"),
    )
    assert done == ["building", "host", "fetched"]


def test_while_images_are_built_the_host_is_asked_what_a_change_takes() -> None:
    """Nobody waits for that to begin building; it is asked once."""
    opened, go_on = Opened(), threading.Event()

    def slow(entry: HostEntry, info: RehearsalInfo | None) -> Target:
        assert go_on.wait(20)
        return opened(entry, info)

    way = Approach(NAS, Hosts(None), slow, boots=True)
    way.look_round()
    way.look_round()
    assert not opened.worlds
    go_on.set()
    way.settle(tree)
    looked_round(way)
    assert [made.engine.rounds for made in opened.worlds] == [["/pool/demo"]]


def test_nothing_is_built_for_a_host_that_is_known_to_be_out_of_reach() -> None:
    """What was found meanwhile is told then, once."""
    way = Approach(NAS, Hosts(None), Opened(GONE), boots=True)
    with pytest.raises(HostUnreachable):
        way.arrive()
    with pytest.raises(HostUnreachable) as caught:
        way.look_round()
    assert caught.value is GONE


def test_one_that_fails_while_images_are_built_is_told_of_after_the_build() -> None:
    """By the same error, and what looks round has ended."""
    go_on = threading.Event()

    def slow(entry: HostEntry, info: RehearsalInfo | None) -> Target:
        assert go_on.wait(20)
        raise GONE

    way = Approach(NAS, Hosts(None), slow, boots=True)
    way.look_round()
    go_on.set()
    with pytest.raises(HostUnreachable) as caught:
        way.settle(tree)
    assert caught.value is GONE
    looked_round(way)


def test_a_rehearsal_host_that_is_up_is_not_looked_at() -> None:
    """It answered; whether its programs are these is all that is left to ask."""
    hosts, opened = Hosts(FIRST), Opened()
    target = Approach(HOME, hosts, opened, boots=True).settle(tree)
    assert hosts.answering == [FIRST]
    assert opened.boots == [FIRST]
    assert target.doors is opened.worlds[0].doors
    assert not opened.closed.is_set()


def test_one_that_was_booted_anew_is_connected_to_anew() -> None:
    """What was asked of the boot before says nothing of this one."""
    opened = Opened()
    target = Approach(HOME, Hosts(FIRST, up=SECOND), opened, boots=True).settle(tree)
    assert opened.boots == [FIRST, SECOND]
    assert opened.closed.is_set()
    assert target.doors is opened.worlds[1].doors


def test_one_that_is_ill_is_looked_at_and_booted() -> None:
    """That it does not answer is no error of a command that boots it."""
    hosts, opened = Hosts(FIRST, up=SECOND), Opened(GONE)
    target = Approach(HOME, hosts, opened, boots=True).settle(tree)
    assert hosts.answering == [None]
    assert target.doors is opened.worlds[1].doors


def test_one_that_is_not_up_is_booted_only_where_that_is_asked() -> None:
    """A plan says that it isn't up."""
    hosts, opened = Hosts(None), Opened()
    Approach(HOME, hosts, opened, boots=True).settle(tree)
    assert (hosts.answering, opened.boots) == ([None], [FIRST])
    with pytest.raises(HostUnreachable, match="isn't up"):
        Approach(HOME, Hosts(None), opened, boots=False).settle(tree)


def test_nobody_waits_for_a_host_that_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout has a problem: that is told at once, and the connection ends when it is up."""
    go_on, opened = threading.Event(), Opened()

    def slow(entry: HostEntry, info: RehearsalInfo | None) -> Target:
        assert go_on.wait(20)
        return opened(entry, info)

    Approach(NAS, Hosts(None), slow, boots=True).turn_back()
    assert not opened.closed.is_set()
    go_on.set()
    assert opened.closed.wait(20)
