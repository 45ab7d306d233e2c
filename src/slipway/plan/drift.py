"""How a container differs from what the release's Compose file says. Pure.

Its image and the hash of its definition are compared elsewhere. A label tells what a container was
made from, though, not what somebody did to it since (``docker update``, ``docker network
disconnect``), nor what somebody else made with the same label.
"""

from __future__ import annotations

from collections.abc import Iterator

from slipway.report import human_bytes
from slipway.runner.containers import Container, Made
from slipway.stack.limits import Limits
from slipway.stack.shape import Shape


def differences(shape: Shape, container: Container) -> tuple[str, ...]:
    """Clauses such as ``is not in the network demo_back``; values of variables are in none.

    Args:
        shape: what it should be.
        container: what it is; nothing is found when it was not asked what it is made of.
    """
    made = container.made
    if made is None:
        return ()
    return (
        *_environment(shape, made),
        *_mounts(shape, made),
        *(_networks(shape, made) if container.state == "running" else ()),
        *_limits(shape.limits, made),
        *_restart(shape, made),
    )


def restarted(container: Container) -> str:
    """A clause when Docker had to start it again; empty otherwise."""
    if not container.restarts:
        return ""
    times = "once" if container.restarts == 1 else f"{container.restarts} times"
    return f"was started again {times} by Docker"


def _environment(shape: Shape, made: Made) -> Iterator[str]:
    there = dict(made.environment)
    for name, value in sorted(shape.environment.items()):
        if name not in there:
            yield f"has no variable {name}"
        elif there[name] != value:
            yield f"has another value of the variable {name}"


def _mounts(shape: Shape, made: Made) -> Iterator[str]:
    there = dict(made.mounts)
    for place, source in sorted(shape.mounts.items()):
        if place not in there:
            yield f"has nothing mounted at {place}"
        elif there[place] != source:
            yield f"has {there[place]} mounted at {place} instead of {source}"
    for place, source in sorted(there.items()):
        # A volume without a name of its own is the image's.
        if place not in shape.mounts and source.startswith("/"):
            yield f"has {source} mounted at {place}, which nobody asked for"


def _networks(shape: Shape, made: Made) -> Iterator[str]:
    if shape.networks is None:
        return
    there = set(made.networks)
    for name in sorted(shape.networks - there):
        yield f"is not in the network {name}"
    for name in sorted(there - shape.networks):
        yield f"is in the network {name}, which nobody asked for"


def _limits(limits: Limits, made: Made) -> Iterator[str]:
    """A limit that a host's kernel can't keep is discarded by Docker: none is no difference."""
    if made.memory and made.memory != limits.memory:
        said = human_bytes(limits.memory) if limits.memory else "no limit"
        yield f"may take {human_bytes(made.memory)} of memory instead of {said}"
    if made.processors and abs(made.processors - limits.processors) > 1e-6:
        said = f"{limits.processors:g}" if limits.processors else "no limit"
        yield f"may take {made.processors:g} processors instead of {said}"
    if made.processes and limits.processes and made.processes != limits.processes:
        yield f"may have {made.processes} processes instead of {limits.processes}"


def _restart(shape: Shape, made: Made) -> Iterator[str]:
    if shape.restart and made.restart != shape.restart:
        yield f"has the restart policy {made.restart} instead of {shape.restart}"
