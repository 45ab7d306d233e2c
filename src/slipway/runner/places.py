"""Whether the edge can bring requests to as many containers as are wanted."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.runner.doors import Doors
from slipway.runner.edges import Edges, Told
from slipway.runner.failure import Failed
from slipway.runner.roll import Rolling, parts

_ANSWER_S = 15.0
_LOOK_S = 0.15


def room(doors: Doors, edges: Edges, services: Sequence[Rolling]) -> None:
    """See whether every edge has a backend for each service, with a place for each container.

    Args:
        doors: what it acts through.
        edges: those that are asked.
        services: what is wanted; where the edge's own is among them the right ones of its
            containers are asked, and no other.

    Raises:
        Failed: an edge hasn't, or there is none that answers.
    """
    hint = "look at the edge's configuration: a backend of that name, with servers enough"
    for one in _answering(doors, edges, services):
        lacking = [why for each in services if (why := each.lacks_places(one.servers))]
        if lacking:
            raise Failed(lacking[0], details=lacking[1:], hint=hint)


def _answering(doors: Doors, edges: Edges, services: Sequence[Rolling]) -> tuple[Told, ...]:
    """The edges that count, once all have answered: one that just started may be mute."""
    end = doors.clock.monotonic() + _ANSWER_S
    own = [one for one in services if edges.is_edge(one.service)]
    while True:
        containers = doors.docker.containers()
        right = {c.id for one in own for c in parts(one, containers).right}
        found = tuple(one for one in edges.look(containers) if not own or one.container.id in right)
        if found and all(one.servers for one in found):
            return found
        if doors.clock.monotonic() >= end:
            what = "doesn't answer" if found else "doesn't run"
            raise Failed(f"the edge {what}, so it can't be asked how many places it has")
        doors.listener.heed()
        doors.clock.sleep(_LOOK_S)
