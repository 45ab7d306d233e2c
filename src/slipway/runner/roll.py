"""Put new containers in the place of old ones without a gap: what to do next. Pure.

Nothing is remembered between two looks: what is there decides, so that a switch which was broken
off, or an edge which was restarted in the middle, is simply gone on with. The order is

    new ones start beside the old → each is healthy, and the edge's own check of it has passed
    → they are given requests → the old ones are given no more

after which :func:`retiring` ends the old ones. While nothing new is well, something old must be
reached: an edge that has just been restarted may know the name of a new container only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
        """Why the edge can't reach as many containers as are wanted; empty when it can.

        While a service is rolled its old and its new containers need a place each, and one more
        may still have a stream of the switch before.
        """
        places = sum(server.backend == self.service for server in servers)
        most = (places - 1) // 2
        if not self.behind or self.containers <= max(1, most):
            return ""
        return (
            f"{self.containers} containers of {self.service} need "
            f"{2 * self.containers + 1} servers in the edge's backend {self.service}, which has "
            f"{places}: at most {max(1, most)} can be there"
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


@dataclass(frozen=True)
class Next:
    """What to do now.

    Attributes:
        commands: for the edge, in order.
        waiting: what is waited for, a clause; empty when there is nothing left to do.
    """

    commands: tuple[str, ...] = ()
    waiting: str = ""

    @property
    def done(self) -> bool:
        """Whether the end is reached."""
        return not self.commands and not self.waiting


@dataclass
class _Orders:
    """Commands that are being gathered, and which servers they take."""

    commands: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def give(self, server: Server, *orders: str) -> None:
        self.taken.add(server.path)
        self.commands += [order.format(f"{server.path}") for order in orders]


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


def switching(
    one: Rolling,
    containers: Sequence[Container],
    servers: Sequence[Server],
    networks: Sequence[str],
) -> Next:
    """What brings requests from the old containers to the new ones.

    Args:
        one: the service.
        containers: the application's.
        servers: the edge's, all of them.
        networks: Docker's names of those the edge is in.
    """
    found = parts(one, containers)
    well = [container for container in found.right if container.well]
    theirs = sorted((s for s in servers if s.backend == one.service), key=lambda s: s.place)
    orders = _Orders()
    right = {where for c in found.right for where in _addresses(c, theirs, networks)}
    if len(well) < one.containers:
        alive = [*well, *(container for container in found.old if container.well)]
        if theirs and alive and not any(_ready(c, theirs, networks) for c in alive):
            _bring(alive[0], theirs, networks, orders, set())
        elif one.behind and theirs:
            for container in found.right:
                _place(container, theirs, networks, orders, right)
        return Next(tuple(orders.commands), f"{one.service} to be well")
    if not one.behind or not theirs:
        return Next()
    reached = [_bring(container, theirs, networks, orders, right) for container in well]
    if not all(reached):
        return Next(tuple(orders.commands), f"the edge to reach the new {one.service}")
    for server in theirs:
        if server.ready and server.address not in right:
            orders.give(server, "set server {} state drain")
    return Next(tuple(orders.commands))


def _ready(container: Container, theirs: Sequence[Server], networks: Sequence[str]) -> bool:
    """Whether a container is given requests."""
    where = _addresses(container, theirs, networks)
    return any(server.ready and server.address in where for server in theirs)


def _bring(
    container: Container,
    theirs: Sequence[Server],
    networks: Sequence[str],
    orders: _Orders,
    kept: set[str],
) -> bool:
    """Have a container be given requests, once a check of the edge has passed.

    Args:
        container: one that is well.
        theirs: the servers of its service.
        networks: those the edge is in.
        orders: takes the commands.
        kept: addresses whose places are not taken from them.

    Returns:
        Whether that is so once the commands are obeyed; also when there is no place for it, but for
        another one of ``kept``.
    """
    if _ready(container, theirs, networks):
        return True
    where = _addresses(container, theirs, networks)
    checked = [server for server in theirs if server.address in where and server.checked]
    if checked:
        orders.give(checked[0], "set server {} state ready")
        return True
    placed = _place(container, theirs, networks, orders, kept)
    return not placed and any(server.ready and server.address in kept for server in theirs)


def _place(
    container: Container,
    theirs: Sequence[Server],
    networks: Sequence[str],
    orders: _Orders,
    kept: set[str],
) -> bool:
    """Have the edge check a container without giving it requests; False when there is no place."""
    where = _addresses(container, theirs, networks)
    if any(server.address in where and (server.ready or server.draining) for server in theirs):
        return True
    places = [one for one in theirs if one.place > 1 and one.path not in orders.taken]
    # A switch that was broken off may have left a place with somebody who is gone.
    left = [one for one in places if one.draining and one.address not in kept]
    free = [one for one in places if one.free] or left
    if not free or not where:
        return False
    server = min(free, key=lambda one: (one.sessions, one.place))
    address, _, port = min(where).rpartition(":")
    orders.give(
        server,
        *(() if server.free else ("set server {} state maint",)),
        f"set server {{}} addr {address} port {port}",
        "enable health {}",
        "set server {} state drain",
    )
    return True


def retiring(
    one: Rolling,
    containers: Sequence[Container],
    servers: Sequence[Server],
    networks: Sequence[str],
) -> Next:
    """What brings the edge back to its ordinary places once the old containers are on their way.

    The first server is given the new container's address at once, instead of waiting until
    Docker's name server has forgotten the old one; the name leads there as well. Should the edge
    be restarted meanwhile, requests are brought to the new ones first.
    """
    theirs = sorted((s for s in servers if s.backend == one.service), key=lambda s: s.place)
    if not one.behind or not theirs:
        return Next()
    step = switching(one, containers, servers, networks)
    if not step.done:
        return step
    orders, home = _Orders(), theirs[0]
    well = parts(one, containers).right
    wanted = [address for c in well for address in sorted(_addresses(c, theirs, networks))]
    guests = [server for server in theirs[1:] if not server.free]
    waiting = f"the edge to find {one.service}"
    if home.address not in wanted:
        places = {server.address for server in guests}
        address, _, port = min(wanted, key=lambda one: one in places).rpartition(":")
        # Out of maintenance its health begins anew: what was checked was another container.
        orders.give(
            home,
            "set server {} state maint",
            f"set server {{}} addr {address} port {port}",
            "set server {} state drain",
        )
        return Next(tuple(orders.commands), waiting)
    if home.checked:
        orders.give(home, "set server {} state ready")
    elif not home.ready:
        if home.status == "MAINT":
            orders.give(home, "set server {} state drain")
        return Next(tuple(orders.commands), waiting)
    for server in guests:
        if server.address == home.address or server.address not in wanted:
            orders.give(server, "set server {} state maint")
    return Next(tuple(orders.commands))


def sessions(
    one: Rolling,
    containers: Sequence[Container],
    servers: Sequence[Server],
    networks: Sequence[str],
) -> int:
    """How many requests the old containers of a service still have through the edge."""
    theirs = [server for server in servers if server.backend == one.service]
    where: set[str] = set()
    for container in parts(one, containers).old:
        where |= _addresses(container, theirs, networks)
    return sum(server.sessions for server in theirs if server.address in where)


def _addresses(container: Container, theirs: Sequence[Server], networks: Sequence[str]) -> set[str]:
    """Where the edge reaches a container: its addresses in the networks that both are in."""
    port = theirs[0].port if theirs else ""
    return {f"{address}:{port}" for name, address in container.addresses if name in networks}
