"""Is the stack well? Decided without doing anything.

:func:`watch` is a generator: it yields how to look (:class:`Look`), is sent what was seen, and
returns a :class:`Verdict`. Its deadlines come from the services' own health checks (start period,
interval, retries), so there is no second clock to tune. What can't get better by waiting (an exit,
a restart, a memory kill) ends it at once.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from slipway.runner.containers import ENDED, Container
from slipway.runner.expected import Expected
from slipway.runner.nasapps import UNTOLD

_SETTLE_S = 1.0
_LOOK_S = 0.3
_PATIENCE_S = 5.0
_MOST_LOOKS = 10_000


@dataclass(frozen=True)
class Look:
    """Look at the containers.

    Attributes:
        pause_s: seconds to let pass first.
        patience_s: seconds to go on looking at most, while a service is starting.
        waiting_for: the services that are not well yet.
    """

    pause_s: float = 0.0
    patience_s: float = 0.0
    waiting_for: tuple[str, ...] = ()


@dataclass(frozen=True)
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


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class _Hope:
    """A fault that may pass until its service's deadline; before ``pause_s`` it can't."""

    fault: Fault
    deadline_s: float
    pause_s: float = 0.0


@dataclass
class _Memory:
    """What a watch remembers between two looks."""

    began: float
    restarts: dict[str, int] = field(default_factory=dict)
    up_since: dict[str, float] = field(default_factory=dict)


def watch(
    wanted: Sequence[Expected],
) -> Generator[Look, tuple[float, tuple[Container, ...]], Verdict]:
    """Watch services until all are well, one can't get well, or time is up.

    For each :class:`Look` send the time it ended, in seconds of a clock that only grows, and the
    application's containers.
    """
    at, containers = yield Look()
    memory = _Memory(at)
    for _ in range(_MOST_LOOKS):
        elapsed = at - memory.began
        faults, waiting = _judge(wanted, at, containers, memory)
        if faults or not waiting:
            return Verdict(faults, elapsed)
        late = tuple(one.fault for one in waiting if elapsed >= one.deadline_s)
        if late:
            return Verdict(late, elapsed)
        pause = max(_LOOK_S, min(one.pause_s for one in waiting))
        left = min(one.deadline_s for one in waiting) - elapsed - pause
        services = tuple(dict.fromkeys(one.fault.service for one in waiting))
        at, containers = yield Look(pause, max(0.0, min(_PATIENCE_S, left)), services)
    raise AssertionError("unreachable: every deadline is shorter than the looks allowed")


def _judge(
    wanted: Sequence[Expected], at: float, containers: Sequence[Container], memory: _Memory
) -> tuple[tuple[Fault, ...], tuple[_Hope, ...]]:
    """The faults that end the watch, and those that may pass."""
    hard: list[Fault] = []
    soft: list[_Hope] = []
    for one in wanted:
        theirs = [c for c in containers if one.counts(c)]
        for container in theirs:
            before = memory.restarts.setdefault(container.id, container.restarts)
            if one.ends and container.ended:
                continue
            what = hard_fault(container, before)
            if what:
                hard.append(Fault(one.service, container.id, what))
                continue
            hope = _hope(container, one, at, memory)
            if hope:
                soft.append(hope)
        if len(theirs) < one.containers:
            what = f"{len(theirs)} of {one.containers} containers exist"
            soft.append(_Hope(Fault(one.service, "", what), one.deadline_s))
    return tuple(hard), tuple(soft)


def hard_fault(container: Container, restarts_before: int | None = None) -> str | None:
    """What is wrong with a container that no waiting mends, a clause; None when nothing is.

    Args:
        container: as it is now.
        restarts_before: how often it had been restarted when it was first seen, or None.
    """
    if container.oom_killed:
        return "was killed because it used more memory than its limit"
    if container.state == ENDED:
        return "has ended, or ends again and again"
    if container.state in ("exited", "dead"):
        if container.exit_code == UNTOLD:
            return "crashed"
        return f"exited with code {container.exit_code}"
    if container.state == "restarting":
        return f"exited with code {container.exit_code} and is being restarted"
    if restarts_before is not None and container.restarts > restarts_before:
        return f"ends again and again ({container.restarts} restarts)"
    if container.health == "unhealthy":
        return "is unhealthy"
    return None


def _hope(container: Container, one: Expected, at: float, memory: _Memory) -> _Hope | None:
    """What is not well yet but may become so; None when it is well.

    A container without a health check has to stay up for a second.
    """

    def what(words: str, pause_s: float = 0.0) -> _Hope:
        return _Hope(Fault(one.service, container.id, words), one.deadline_s, pause_s)

    if container.state != "running":
        return what(f"is {container.state}")
    if one.ends:
        return what("has not ended")
    since = memory.up_since.setdefault(container.id, at)
    if container.health:
        return None if container.health == "healthy" else what("did not become healthy in time")
    left = _SETTLE_S - (at - since)
    return what("did not stay up", left) if left > 0 else None
