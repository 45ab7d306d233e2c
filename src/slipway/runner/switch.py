"""Put new containers in the place of old ones without a gap: what to do next. Pure.

Nothing is remembered between two looks: what is there decides, so that a switch which was broken
off, or an edge which was restarted in the middle, is simply gone on with. The order is

    new ones start beside the old → each is healthy, and the edge's own check of it has passed
    → they are given requests → the old ones are given no more

after which :func:`retiring` ends the old ones. While nothing new is well, something old must be
reached: an edge that has just been restarted may know the name of a new container only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from slipway.runner.containers import Container
from slipway.runner.edge import Server
from slipway.runner.roll import Rolling, parts


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
class _Backend:
    """The edge's servers of a service, and what it is told about them.

    Attributes:
        servers: in the order of the configuration.
        networks: Docker's names of those the edge is in.
        commands: gathered so far.
        taken: paths of the servers that these are about.
    """

    servers: Sequence[Server]
    networks: Sequence[str]
    commands: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, one: Rolling, servers: Sequence[Server], networks: Sequence[str]) -> _Backend:
        """That of a service, among all servers of an edge."""
        theirs = (server for server in servers if server.backend == one.service)
        return cls(sorted(theirs, key=lambda server: server.place), networks)

    def where(self, container: Container) -> set[str]:
        """Where the edge reaches a container: its addresses in the networks that both are in."""
        port = self.servers[0].port if self.servers else ""
        return {f"{addr}:{port}" for name, addr in container.addresses if name in self.networks}

    def ready(self, container: Container) -> bool:
        """Whether a container is given requests."""
        where = self.where(container)
        return any(server.ready and server.address in where for server in self.servers)

    def give(self, server: Server, *orders: str) -> None:
        """Tell the edge something about a server, whose path takes the place of ``{}``."""
        self.taken.add(server.path)
        self.commands += [order.format(server.path) for order in orders]

    def told(self, waiting: str = "") -> Next:
        """What was gathered, and what is waited for then."""
        return Next(tuple(self.commands), waiting)

    def bring(self, container: Container, kept: set[str]) -> bool:
        """Have a container be given requests, once a check of the edge has passed.

        Args:
            container: one that is well.
            kept: addresses whose places are not taken from them.

        Returns:
            Whether that is so once the commands are obeyed; also when there is no place for it, but
            for another one of ``kept``.
        """
        if self.ready(container):
            return True
        where = self.where(container)
        checked = [one for one in self.servers if one.address in where and one.checked]
        if checked:
            self.give(checked[0], "set server {} state ready")
            return True
        placed = self.place(container, kept)
        return not placed and any(one.ready and one.address in kept for one in self.servers)

    def place(self, container: Container, kept: set[str]) -> bool:
        """Have the edge check a container without giving it requests; False for want of a place."""
        where = self.where(container)
        if any(one.address in where and (one.ready or one.draining) for one in self.servers):
            return True
        places = [one for one in self.servers if one.place > 1 and one.path not in self.taken]
        # A switch that was broken off may have left a place with somebody who is gone.
        left = [one for one in places if one.draining and one.address not in kept]
        free = [one for one in places if one.free] or left
        if not free or not where:
            return False
        server = min(free, key=lambda one: (one.sessions, one.place))
        if not server.free:
            self.give(server, "set server {} state maint")
        self.give(server, _leads_to(min(where)), "enable health {}", "set server {} state drain")
        return True


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
    backend = _Backend.of(one, servers, networks)
    right = {where for container in found.right for where in backend.where(container)}
    if len(well) < one.containers:
        alive = [*well, *(container for container in found.old if container.well)]
        if backend.servers and alive and not any(backend.ready(each) for each in alive):
            backend.bring(alive[0], set())
        elif one.behind and backend.servers:
            for container in found.right:
                backend.place(container, right)
        return backend.told(f"{one.service} to be well")
    if not one.behind or not backend.servers:
        return Next()
    reached = [backend.bring(container, right) for container in well]
    if not all(reached):
        return backend.told(f"the edge to reach the new {one.service}")
    for server in backend.servers:
        if server.ready and server.address not in right:
            backend.give(server, "set server {} state drain")
    return backend.told()


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
    backend = _Backend.of(one, servers, networks)
    if not one.behind or not backend.servers:
        return Next()
    step = switching(one, containers, servers, networks)
    if not step.done:
        return step
    home, *others = backend.servers
    well = parts(one, containers).right
    wanted = [address for container in well for address in sorted(backend.where(container))]
    guests = [server for server in others if not server.free]
    waiting = f"the edge to find {one.service}"
    if home.address not in wanted:
        places = {server.address for server in guests}
        nearest = min(wanted, key=lambda one: one in places)
        # Out of maintenance its health begins anew: what was checked was another container.
        backend.give(home, "set server {} state maint", _leads_to(nearest))
        backend.give(home, "set server {} state drain")
        return backend.told(waiting)
    if home.checked:
        backend.give(home, "set server {} state ready")
    elif not home.ready:
        if home.status == "MAINT":
            backend.give(home, "set server {} state drain")
        return backend.told(waiting)
    for server in guests:
        if server.address == home.address or server.address not in wanted:
            backend.give(server, "set server {} state maint")
    return backend.told()


def sessions(
    one: Rolling,
    containers: Sequence[Container],
    servers: Sequence[Server],
    networks: Sequence[str],
) -> int:
    """How many requests the old containers of a service still have through the edge."""
    backend = _Backend.of(one, servers, networks)
    where: set[str] = set()
    for container in parts(one, containers).old:
        where |= backend.where(container)
    return sum(server.sessions for server in backend.servers if server.address in where)


def _leads_to(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"set server {{}} addr {host} port {port}"
