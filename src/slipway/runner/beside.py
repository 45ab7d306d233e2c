"""Containers beside those that they will take the place of: started, and named in the end."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.runner.compose import file_of
from slipway.runner.containers import Container
from slipway.runner.doors import Doors
from slipway.runner.failure import Failed
from slipway.runner.roll import NOT_RUNNING, Rolling, parts

_START_S = 120.0
_EACH_S = 15.0
_TIMED_OUT = 124
# Not --no-deps: Compose would leave depends_on out of the hash that it compares definitions by, and
# its next `up` would make every container anew that was started so.
_START = ("up", "--detach", "--no-build", "--pull", "never", "--no-recreate")


def start(doors: Doors, release: str, services: Sequence[Rolling]) -> None:
    """Start what each service lacks of right containers; old ones that don't run go first.

    Args:
        doors: what it acts through.
        release: whose Compose file says how.
        services: what is wanted.

    Raises:
        Failed: they can't be started.
    """
    docker = doors.docker
    containers = docker.containers()
    dead = [
        container.id
        for one in services
        for container in parts(one, containers).old
        if container.state in NOT_RUNNING
    ]
    if dead:
        docker.remove(dead)
        containers = docker.containers()
    scales, names, fresh = [], [], 0
    for one in services:
        found = parts(one, containers)
        lacking = max(0, one.containers - len(found.right))
        # All: one that others depend on must not be reduced to what its definition says, and
        # Compose takes numbers for those only that it is asked to start.
        count = len(found.right) + len(found.old) + lacking
        scales += ["--scale", f"{one.service}={count}"]
        if lacking:
            names.append(one.service)
            fresh += lacking
    if not names:
        return
    doors.listener.tell("say", text=f"  starting {', '.join(names)} beside the old")
    everyone = [one.service for one in services]
    argv = (*_START, *scales, *everyone)
    # Docker makes one container after the other, and is slow at it where it is busy.
    limit = _START_S + _EACH_S * fresh
    done = docker.compose(file_of(doors, release), argv, limit)
    if not done.ok:
        lines = done.err.strip().splitlines()[-10:]
        late = f" within {limit:g} s" if done.code == _TIMED_OUT else ""
        who = _lacking(services, docker.containers()) or names
        raise Failed(f"{', '.join(who)} could not be started{late}", details=lines)


def _lacking(services: Sequence[Rolling], containers: Sequence[Container]) -> list[str]:
    """The services that have not all of their right containers, with how many came."""
    found = []
    for one in services:
        right = parts(one, containers).right
        if len(right) < one.containers:
            came = f" ({len(right)} of {one.containers} came)" if one.containers > 1 else ""
            found.append(f"{one.service}{came}")
    return found


def name(doors: Doors, services: Sequence[Rolling]) -> None:
    """Give the containers the names that Compose would: numbers from 1 on."""
    containers = doors.docker.containers()
    for one in services:
        right = parts(one, containers).right
        stem = right[0].name.rpartition("-")[0] if right else ""
        wanted = [f"{stem}-{number}" for number in range(1, len(right) + 1)]
        free = [each for each in wanted if each not in {c.name for c in right}]
        for container in right:
            if free and container.name not in wanted:
                doors.docker.rename(container.id, free.pop(0))
