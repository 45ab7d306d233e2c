"""Is the stack well? Decided without doing anything.

:func:`watch` is a generator: it yields what it needs (:class:`Look`, :class:`Wait`), is sent what
was seen, and returns a :class:`Verdict`. Its deadlines come from the services' own health checks
(start period, interval, retries), so there is no second clock to tune. What can't get better by
waiting (an exit, a restart, a memory kill) ends it at once.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.hosts.container import Container
from slipway.stack.health import health_check, replicas

_SETTLE_S = 1.0
_SLACK_S = 5.0
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 1.0
_MOST_LOOKS = 10_000


@dataclass(frozen=True, slots=True)
class Look:
    """Ask for the containers."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass.

    Attributes:
        seconds: how long.
        waiting_for: the services that are not well yet.
    """

    seconds: float
    waiting_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen.

    Attributes:
        at: seconds on a clock that only grows.
        containers: those of the application.
    """

    at: float
    containers: tuple[Container, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a service should come to.

    Attributes:
        service: its name.
        containers: how many.
        checked: whether it has a health check; without one it has to stay up for a second.
        deadline_s: seconds until then.
    """

    service: str
    containers: int
    checked: bool
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Fault:
    """A service that isn't well.

    Attributes:
        service: its name.
        container: id of the container to look into; empty when there is none.
        what: what is wrong, a clause such as ``exited with code 1``.
    """

    service: str
    container: str
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of a watch.

    Attributes:
        faults: none when all is well.
        seconds: how long it took.
    """

    faults: tuple[Fault, ...]
    seconds: float

    @property
    def well(self) -> bool:
        """Whether every service is as it should be."""
        return not self.faults


@dataclass(slots=True)
class _Memory:
    """What a watch remembers between two looks."""

    began: float
    restarts: dict[str, int] = field(default_factory=dict)
    up_since: dict[str, float] = field(default_factory=dict)


def expected(
    services: Mapping[str, Mapping[str, Any]], names: Sequence[str]
) -> tuple[Expected, ...]:
    """What the named services should come to, from their Compose definitions."""
    result = []
    for name in names:
        check = health_check(services[name])
        deadline = check.deadline_s if check else _SETTLE_S
        result.append(
            Expected(name, replicas(services[name]), check is not None, deadline + _SLACK_S)
        )
    return tuple(result)


def watch(wanted: Sequence[Expected]) -> Generator[Look | Wait, Sight | None, Verdict]:
    """Watch services until all are well, one can't get well, or time is up.

    Send a :class:`Sight` for each :class:`Look`, anything for a :class:`Wait`.
    """
    memory: _Memory | None = None
    pause = _FIRST_WAIT_S
    for _ in range(_MOST_LOOKS):
        sight = yield Look()
        if sight is None:
            raise TypeError("a Look is answered with a Sight")
        memory = memory or _Memory(sight.at)
        elapsed = sight.at - memory.began
        faults, waiting = _judge(wanted, sight, memory)
        if faults or not waiting:
            return Verdict(faults, elapsed)
        late = tuple(fault for fault, deadline in waiting if elapsed >= deadline)
        if late:
            return Verdict(late, elapsed)
        yield Wait(pause, tuple(fault.service for fault, _ in waiting))
        pause = min(pause * 1.5, _LONGEST_WAIT_S)
    raise AssertionError("unreachable: every deadline is shorter than the looks allowed")


def _judge(
    wanted: Sequence[Expected], sight: Sight, memory: _Memory
) -> tuple[tuple[Fault, ...], tuple[tuple[Fault, float], ...]]:
    """The faults that end the watch, and those that may pass, each with its deadline."""
    hard: list[Fault] = []
    soft: list[tuple[Fault, float]] = []
    for one in wanted:
        containers = [c for c in sight.containers if c.service == one.service and not c.one_off]
        for container in containers:
            before = memory.restarts.setdefault(container.id, container.restarts)
            what = hard_fault(container, before)
            if what:
                hard.append(Fault(one.service, container.id, what))
                continue
            what = _soft_fault(container, one, sight.at, memory)
            if what:
                soft.append((Fault(one.service, container.id, what), one.deadline_s))
        if len(containers) < one.containers:
            what = f"{len(containers)} of {one.containers} containers exist"
            soft.append((Fault(one.service, "", what), one.deadline_s))
    return tuple(hard), tuple(soft)


def hard_fault(container: Container, restarts_before: int | None = None) -> str | None:
    """What is wrong with a container that no waiting mends, a clause; None when nothing is.

    Args:
        container: as it is now.
        restarts_before: how often it had been restarted when it was first seen, or None.
    """
    if container.oom_killed:
        return "was killed because it used more memory than its limit"
    if container.state in ("exited", "dead"):
        return f"exited with code {container.exit_code}"
    if container.state == "restarting":
        return f"exited with code {container.exit_code} and is being restarted"
    if restarts_before is not None and container.restarts > restarts_before:
        return f"ends again and again ({container.restarts} restarts)"
    if container.health == "unhealthy":
        return "is unhealthy"
    return None


def _soft_fault(container: Container, one: Expected, at: float, memory: _Memory) -> str | None:
    if container.state != "running":
        return f"is {container.state}"
    since = memory.up_since.setdefault(container.id, at)
    if one.checked:
        return None if container.health == "healthy" else "did not become healthy in time"
    return None if at - since >= _SETTLE_S else "did not stay up"
