"""The faults that a deploy is put to, and at which steps."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.functional.faults import strikes
from tests.functional.faults.place import Place
from tests.functional.faults.strikes import Strike

HOST = ("up", "roll", "verify", "smoke", "soak", "record", "retire")
EVERY = ("plan", "preflight", "files", *HOST)
MIGRATING = {"DATABASE": "anew"}


@dataclass(frozen=True)
class Case:
    """A fault at a step.

    Attributes:
        fault: its name.
        step: where it strikes.
        strike: what it does.
        environment: what the new release differs in besides its version; a value ``anew`` stands
            for a fresh one.
        codes: exit codes that the deploy may end with; empty for any.
        settles: the release that has to be live afterwards: ``old``, ``new``, or empty for either.
        slow_s: seconds within which a release must be whole.
        before: what is changed before the deploy begins.
        then: what else has to be so once a release is whole.
        after: what puts that right when the deploy has ended.
    """

    fault: str
    step: str
    strike: Strike
    environment: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[int, ...] = ()
    settles: str = ""
    slow_s: float = 60.0
    before: Callable[[Place], None] = strikes.leave
    then: Callable[[Place], None] = strikes.leave
    after: Callable[[Place], None] = strikes.leave

    @property
    def name(self) -> str:
        """How it is chosen."""
        return f"{self.fault} at {self.step}"


def _at(steps: tuple[str, ...], fault: str, strike: Strike, **more: object) -> list[Case]:
    return [Case(fault, step, strike, **more) for step in steps]  # type: ignore[arg-type]


def _bad(fault: str, *, step: str = "plan", **environment: str) -> Case:
    return Case(fault, step, strikes.nothing, environment, codes=(5,), settles="old", slow_s=180)


CASES: tuple[Case, ...] = (
    *_at(EVERY, "client killed", strikes.killed),
    Case("client killed", "migrate", strikes.killed, MIGRATING),
    *_at(("files", "up", "roll", "soak", "retire"), "client told to end (SIGTERM)",
         strikes.signalled(signal.SIGTERM), codes=(0, 5, 130)),
    *_at(("roll", "soak"), "terminal closed (SIGHUP)", strikes.signalled(signal.SIGHUP),
         codes=(0, 130)),
    *_at(("files", "up", "roll", "soak", "record"), "Ctrl-C", strikes.signalled(signal.SIGINT),
         codes=(0, 130)),
    *_at(("up", "roll", "soak"), "Ctrl-C twice", strikes.signalled(signal.SIGINT, 2),
         codes=(0, 130)),
    *_at(("files", "up", "roll", "verify", "smoke", "soak", "retire"), "network cut for 25 s",
         strikes.cut(25)),
    *_at(("files", "roll", "soak"), "network cut for good", strikes.cut(None)),
    *_at(HOST, "runner killed", strikes.runner_killed, slow_s=120),
    Case("runner killed", "migrate", strikes.runner_killed, MIGRATING, slow_s=120),
    Case("runner killed in a long migration", "migrate", strikes.runner_killed_in_migration,
         {**MIGRATING, "MIGRATE_FAULT": "long"}, codes=(5,), settles="old", slow_s=120,
         then=strikes.schema_stays),
    Case("runner frozen (SIGSTOP)", "roll", strikes.runner_frozen, codes=(5,), settles="old",
         slow_s=150),
    *_at(("up", "roll", "soak", "retire"), "dockerd killed", strikes.docker_killed, slow_s=150),
    *_at(("files", *HOST), "host rebooted", strikes.rebooted, slow_s=150),
    *_at(("roll",), "host rebooted, client stays", strikes.rebooted_alone, slow_s=150),
    *_at(("up", "roll", "soak", "record"), "disk full", strikes.disk_full, slow_s=120),
    *_at(("roll",), "edge restarted", strikes.edge_restarted),
    *_at(("soak",), "edge restarted", strikes.edge_restarted),
    *_at(("roll", "soak"), "clock jumps", strikes.clock_jumps),
    *_at(("roll",), "two deploys at once", strikes.second_deploy, codes=(0,), settles="new"),
    *_at(("roll",), "a second deploy waits", strikes.second_waits, slow_s=120),
    _bad("never healthy", FAULT="never"),
    _bad("ends again and again", FAULT="crash"),
    _bad("unhealthy after 20 s", FAULT="later", SOAK="32"),
    _bad("answers 500", FAULT="errors", SOAK="8"),
    _bad("killed for memory", FAULT="memory", SOAK="20"),
    Case("link `current` lost, then ends again and again", "plan", strikes.nothing,
         {"FAULT": "crash"}, codes=(5,), settles="old", slow_s=180, before=strikes.link_lost),
    Case("secret missing", "build", strikes.nothing, codes=(2,), settles="old",
         before=strikes.secret_wanted, after=strikes.secret_not_wanted),
    _bad("secret refused", SLIPWAY_SECRET_TOKEN="wrong-for-the-app"),
    Case("layer corrupted on the way", "transfer", strikes.nothing, codes=(0, 3, 4, 5),
         slow_s=120, before=strikes.corrupting, after=strikes.not_corrupting),
    Case("disk full", "transfer", strikes.disk_full, codes=(3, 4, 5), settles="old", slow_s=120,
         before=strikes.image_changed, after=strikes.image_as_before),
    Case("client killed", "transfer", strikes.killed, before=strikes.image_changed,
         after=strikes.image_as_before),
    Case("network cut for 25 s", "transfer", strikes.cut(25), codes=(0,), settles="new",
         before=strikes.image_changed, then=strikes.nothing_loads, after=strikes.image_as_before),
    Case("network cut for good", "transfer", strikes.cut(None), codes=(4,), settles="old",
         slow_s=180, before=strikes.image_changed, then=strikes.nothing_loads,
         after=strikes.image_as_before),
    Case("migration fails", "plan", strikes.nothing, {**MIGRATING, "MIGRATE_FAULT": "fail"},
         codes=(5,), settles="old", slow_s=180),
    Case("migration half done", "plan", strikes.nothing, {**MIGRATING, "MIGRATE_FAULT": "half"},
         codes=(5,), settles="old", slow_s=180),
    Case("migration hangs", "migrate", strikes.signalled(signal.SIGINT),
         {**MIGRATING, "MIGRATE_FAULT": "hang"}, codes=(130,), settles="old", slow_s=180),
)  # fmt: skip
