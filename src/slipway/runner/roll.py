"""What is rolled, and which of its containers are the right ones. Pure.

:mod:`slipway.runner.switch` decides how the right ones come into the place of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.runner.containers import Container
from slipway.runner.edge import Server
from slipway.runner.watch import hard_fault

NOT_RUNNING = ("created", "restarting", "exited", "dead", "paused")


@dataclass(frozen=True)
class Rolling:
    """A service to roll.

    Attributes:
        service: its name; behind the edge also its backend's.
        containers: how many are wanted.
        config: the value of the ``io.slipway.config`` label of the right ones.
        images: the image ids that the right ones may have; empty for any.
        deadline_s: seconds until each new one must be well.
        drain_s: seconds that requests of the old ones are given to end.
        behind: whether the edge gives it requests.
        old: ids of containers that are not right, whatever they were made from.
        kept: ids of the only ones that are right; empty for any.
    """

    service: str
    containers: int
    config: str
    images: tuple[str, ...]
    deadline_s: int
    drain_s: int
    behind: bool
    old: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "service": self.service,
            "containers": self.containers,
            "config": self.config,
            "images": list(self.images),
            "deadline_s": self.deadline_s,
            "drain_s": self.drain_s,
            "behind": self.behind,
            "old": list(self.old),
            "kept": list(self.kept),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Rolling:
        """What :meth:`to_json` gave."""
        return cls(
            str(value["service"]),
            int(value["containers"]),
            str(value["config"]),
            tuple(str(one) for one in value["images"]),
            int(value["deadline_s"]),
            int(value["drain_s"]),
            bool(value["behind"]),
            tuple(str(one) for one in value.get("old", ())),
            tuple(str(one) for one in value.get("kept", ())),
        )

    def is_right(self, container: Container) -> bool:
        """Whether a container is what is wanted."""
        named = not self.kept or container.id in self.kept
        return named and container.id not in self.old and container.fits(self.config, self.images)

    def lacks_places(self, servers: Sequence[Server]) -> str:
        """Why the edge can't reach as many containers as are wanted; empty when it can."""
        places = sum(server.backend == self.service for server in servers)
        if not self.behind:
            return ""
        if not places:
            return f"the edge has no backend {self.service}, so it can't bring requests to it"
        return few_places(self.service, self.containers, places)


def few_places(service: str, containers: int, places: int) -> str:
    """Why so many containers can't be rolled behind the edge; empty when they can.

    While a service is rolled its old and its new containers need a place each, and one more may
    still have a stream of the switch before.

    Args:
        service: its name, and its backend's.
        containers: how many are wanted.
        places: servers that the backend has.
    """
    most = max(1, (places - 1) // 2)
    if containers <= most:
        return ""
    return (
        f"{containers} containers of {service} need {2 * containers + 1} servers in the edge's "
        f"backend {service}, which has {places}: at most {most} can be there"
    )


@dataclass(frozen=True)
class Parts:
    """The containers of a service that is rolled.

    Attributes:
        right: those that are wanted and can run.
        old: the others.
    """

    right: tuple[Container, ...]
    old: tuple[Container, ...]


def parts(one: Rolling, containers: Sequence[Container]) -> Parts:
    """Tell the right containers of a service from the others.

    More right ones than wanted count as old, and so does one that does not run: it has ended, or
    whoever made it was ended before starting it.
    """
    theirs = [c for c in containers if c.service == one.service and not c.one_off]
    fit = [c for c in theirs if one.is_right(c) and c.state not in NOT_RUNNING]
    best = sorted(fit, key=lambda c: (not c.well, c.name))
    right = tuple(best[: one.containers])
    return Parts(right, tuple(c for c in theirs if c not in right))


def fault(one: Rolling, containers: Sequence[Container]) -> tuple[Container, str] | None:
    """A right container that can't get well, and why."""
    for container in containers:
        if container.service == one.service and not container.one_off and one.is_right(container):
            what = hard_fault(container)
            if what:
                return container, what
    return None
