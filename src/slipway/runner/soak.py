"""Watch a release for a while after the switch: restarts, health, and the edge's error rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slipway.runner import edge
from slipway.runner.containers import Container
from slipway.runner.doors import Doors
from slipway.runner.edge import Answers
from slipway.runner.expected import Expected
from slipway.runner.failure import Failed
from slipway.runner.rolling import Roller
from slipway.runner.watch import Fault, hard_fault
from slipway.runner.watching import explained

_LOOK_S = 1.0
_FEWEST = 20


def soak(
    doors: Doors,
    roller: Roller,
    expected: Sequence[Expected],
    seconds: float,
    share: float,
) -> None:
    """Watch services for a while.

    Args:
        doors: what to act through.
        roller: asks the edge, and keeps requests where they are.
        expected: the services, with what marks their new containers: old ones may still be beside
            them.
        seconds: how long.
        share: the part of the edge's answers that may be errors (5xx).

    Raises:
        Failed: one goes bad, or too many answers are errors.
    """
    containers, said = roller.hold()
    watched = [one for one in containers if any(service.counts(one) for service in expected)]
    work = {one.service for one in expected if one.ends}
    ended = [one for one in watched if one.ended and one.service not in work]
    if ended:  # as when Docker was restarted since they were seen to be well
        raise explained(doors.docker, [Fault(one.service, one.id, "has ended") for one in ended])
    names = [one.service for one in expected]
    first = total(said, names)
    end = doors.clock.monotonic() + seconds
    while True:
        faults = going_bad(watched, containers)
        if faults:
            raise explained(doors.docker, faults)
        seen = errors_since(first, total(said, names))
        if seen.all >= _FEWEST and seen.errors > share * seen.all:
            raise Failed(f"{seen.errors} of {seen.all} answers since the switch are errors (5xx)")
        left = end - doors.clock.monotonic()
        if left <= 0:
            return
        doors.listener.heed()
        doors.clock.sleep(min(_LOOK_S, left))
        containers, said = roller.hold()


def going_bad(watched: Sequence[Container], containers: Sequence[Container]) -> tuple[Fault, ...]:
    """What is wrong with containers that were well. Pure.

    Args:
        watched: as they were.
        containers: as they all are now.
    """
    now = {one.id: one for one in containers}
    faults = []
    for before in watched:
        after = now.get(before.id)
        if after is None:
            faults.append(Fault(before.service, "", "is gone"))
        elif not (before.ended and after.ended):
            what = hard_fault(after, before.restarts)
            if what:
                faults.append(Fault(before.service, before.id, what))
    return tuple(faults)


def total(said: Sequence[str], backends: Iterable[str]) -> Answers:
    """What all edges have answered. Pure."""
    every = errors = 0
    names = tuple(backends)
    for text in said:
        try:
            seen = edge.answers(text, names)
        except ValueError:
            continue
        every, errors = every + seen.all, errors + seen.errors
    return Answers(every, errors)


def errors_since(first: Answers, now: Answers) -> Answers:
    """What was answered between two looks; an edge that was restarted counts from 0. Pure."""
    if now.all < first.all:
        return now
    return Answers(now.all - first.all, max(0, now.errors - first.errors))
