"""The edges that run: asked and told through the probe in their images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.runner.containers import Container, standing
from slipway.runner.doors import Done, Doors
from slipway.runner.edge import LOOK, Server, servers

_ASK_S = 10.0
_PROBE = "/usr/bin/probe"


@dataclass(frozen=True)
class Told:
    """What an edge said.

    Attributes:
        container: its container.
        said: its answer to :data:`slipway.runner.edge.LOOK`; empty when it gave none.
        servers: those in the answer; none when it is no such answer.
    """

    container: Container
    said: str
    servers: tuple[Server, ...]

    @property
    def networks(self) -> tuple[str, ...]:
        """Docker's names of the networks it is in."""
        return tuple(name for name, _ in self.container.addresses)


class Edges:
    """Asks and tells every edge of an application: two while one takes the place of another.

    Args:
        doors: what it acts through.
        place: the edge's ``service`` and the path of its ``socket``; None where there is no edge.
    """

    def __init__(self, doors: Doors, place: Mapping[str, Any] | None) -> None:
        self._doors, self._place = doors, place

    @property
    def any(self) -> bool:
        """Whether the application has an edge."""
        return self._place is not None

    def is_edge(self, service: str) -> bool:
        """Whether a service is the edge."""
        return self._place is not None and self._place["service"] == service

    def look(self, containers: Sequence[Container]) -> tuple[Told, ...]:
        """Ask each that runs; one that is just starting may be mute.

        Args:
            containers: the application's.
        """
        if self._place is None:
            return ()
        service = self._place["service"]
        return tuple(
            self._look(one)
            for one in standing(containers)
            if one.service == service and one.state == "running"
        )

    def order(self, edge: Told, commands: Sequence[str]) -> None:
        """Give one commands, which it carries out in order."""
        self._doors.listener.tell("edge", commands=list(commands))
        self._say(edge.container, "; ".join(commands))

    def _look(self, container: Container) -> Told:
        done = self._say(container, LOOK)
        said = done.out if done.ok else ""
        try:
            return Told(container, said, servers(said))
        except ValueError:
            return Told(container, said, ())

    def _say(self, container: Container, line: str) -> Done:
        socket = self._place["socket"] if self._place else ""
        return self._doors.docker.execute(container.id, (_PROBE, "admin", socket, line), _ASK_S)
