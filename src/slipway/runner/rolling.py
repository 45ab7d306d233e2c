"""Carry out what :mod:`slipway.runner.switch` decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slipway.runner import beside
from slipway.runner.containers import Container
from slipway.runner.doors import Doors, Stopping
from slipway.runner.edges import Edges, Told
from slipway.runner.failure import Failed
from slipway.runner.places import room
from slipway.runner.roll import Rolling, fault, parts
from slipway.runner.switch import Next, retiring, sessions, switching
from slipway.runner.watch import Fault
from slipway.runner.watching import explained

_LOOK_S = 0.15
_SWITCH_S = 30.0
_TIDY_S = 20.0
_STOPPED_S = 330.0
_BACK_S = 60.0
_EDGELESS_S = 10.0


class Roller:
    """Switches services over, and ends the old containers.

    Args:
        doors: what it acts through.
        place: the edge's ``service`` and the path of its ``socket``; None where there is no edge.
    """

    def __init__(self, doors: Doors, place: Mapping[str, Any] | None) -> None:
        self._doors, self._edges = doors, Edges(doors, place)
        self._stopping: dict[tuple[str, ...], Stopping] = {}
        self._noted: set[tuple[str, str]] = set()
        self._release, self._before = "", set[str]()
        self._switched: dict[str, Rolling] = {}
        self._edgeless: float | None = None

    def start(self, action: Mapping[str, Any]) -> None:
        """Start new containers beside the old ones; :meth:`switch` goes on from there.

        Raises:
            Failed: they can't be started.
        """
        services = [Rolling.from_json(one) for one in action["services"]]
        beside.start(self._doors, action["release"], services)

    def switch(self, action: Mapping[str, Any]) -> list[str]:
        """Start new containers beside the old ones and bring all requests to them.

        The old ones of services that the edge does not reach are asked to end: they take no new
        work and have the time until :meth:`retire` to finish what they are at.

        Returns:
            The services that were switched.

        Raises:
            Failed: a new one does not get well, or the edge does not reach it.
        """
        services = [Rolling.from_json(one) for one in action["services"]]
        began = self._doors.clock.monotonic()
        self._release, self._before = (
            action["release"],
            {c.id for c in self._doors.docker.containers()},
        )
        beside.start(self._doors, action["release"], services)
        for one in services:
            self._note(one.service, "start")
        limit = max(one.deadline_s for one in services) + _SWITCH_S
        self._until(services, switching, began + limit, started=began)
        containers = self._doors.docker.containers()
        for one in services:
            if not one.behind:
                self._stop(parts(one, containers).old)
            self._switched[one.service] = one
        return [one.service for one in services]

    def retire(self, action: Mapping[str, Any]) -> None:
        """End the old containers once their requests have come to an end.

        Raises:
            Failed: a new one is not well any more, so the old ones are left as they are.
        """
        services = [Rolling.from_json(one) for one in action["services"]]
        self._drained(services)
        self._awaited(services)
        old = self._old(services)
        self._stop(old)
        end = self._doors.clock.monotonic() + _TIDY_S
        try:
            self._until(services, retiring, end)
        except Failed as failed:
            # Requests are answered all the same, from a place that was meant for the switch.
            self._doors.listener.tell("warn", text=failed.cause.message)
        self._wait_stopped()
        self._doors.docker.remove([one.id for one in old])
        beside.name(self._doors, services)

    def room(self, action: Mapping[str, Any]) -> None:
        """See whether the edge can reach what is wanted; see :func:`slipway.runner.places.room`."""
        services = [Rolling.from_json(one) for one in action["services"]]
        room(self._doors, self._edges, services)

    def requests(self) -> int | None:
        """How many requests the edges have now; None when there is none that could be asked."""
        _, edges = self._look()
        if not edges:
            return None
        return sum(server.sessions for one in edges for server in one.servers)

    def hold(self) -> tuple[tuple[Container, ...], tuple[str, ...]]:
        """Keep requests on what was switched to: an edge that was restarted since may lead back.

        Returns:
            The containers, and what each edge that answers says of itself.
        """
        containers, edges = self._look()
        behind = [one for one in self._switched.values() if one.behind]
        self._act(behind, switching, containers, edges)
        return containers, tuple(one.said for one in edges if one.said)

    def _until(
        self,
        services: Sequence[Rolling],
        decide: Callable[..., Next],
        end: float,
        *,
        started: float | None = None,
    ) -> None:
        """Look and act until nothing is left to do."""
        told = ""
        while True:
            self._doors.listener.heed()
            containers, edges = self._look()
            now = self._doors.clock.monotonic()
            if started is not None:
                self._check(services, containers, now - started)
            waiting = self._act(services, decide, containers, edges)
            if not waiting:
                return
            if now >= end:
                raise Failed(f"waited too long for {waiting[0]}")
            if waiting[0] != told:
                told = waiting[0]
                self._doors.listener.tell("say", text=f"  waiting for {', '.join(waiting)}")
            self._doors.clock.sleep(_LOOK_S)

    def _look(self) -> tuple[tuple[Container, ...], tuple[Told, ...]]:
        """The application's containers, and what each edge that runs says."""
        containers = self._doors.docker.containers()
        return containers, self._edges.look(containers)

    def _act(
        self,
        services: Sequence[Rolling],
        decide: Callable[..., Next],
        containers: Sequence[Container],
        edges: Sequence[Told],
    ) -> tuple[str, ...]:
        """Tell every edge what it should do next; what is still waited for."""
        waiting: dict[str, None] = {}
        if any(one.behind for one in services) and self._edge_may_come(edges):
            return ("the edge to answer",)
        nobody: tuple[Told | None, ...] = (None,)
        for told in edges or nobody:
            servers, networks = (told.servers, told.networks) if told else ((), ())
            commands: list[str] = []
            for one in services:
                step = decide(one, containers, servers, networks)
                commands += step.commands
                if step.done:
                    self._note(one.service, "switch")
                else:
                    waiting[step.waiting or f"the edge to leave the old {one.service}"] = None
            if commands and told:
                self._edges.order(told, commands)
        return tuple(waiting)

    def _edge_may_come(self, edges: Sequence[Told]) -> bool:
        """Whether an edge is away, or mute, that was only just restarted."""
        if not self._edges.any or (edges and all(one.servers for one in edges)):
            self._edgeless = None
            return False
        now = self._doors.clock.monotonic()
        if self._edgeless is None:
            self._edgeless = now
        return now < self._edgeless + _EDGELESS_S

    def _note(self, service: str, part: str) -> None:
        """Tell once how far a service is: ``start``, ``healthy``, ``switch``."""
        if (service, part) not in self._noted:
            self._noted.add((service, part))
            self._doors.listener.tell("part", service=service, part=part)

    def _check(
        self, services: Sequence[Rolling], containers: Sequence[Container], seconds: float
    ) -> None:
        for one in services:
            if sum(c.well for c in parts(one, containers).right) >= one.containers:
                self._note(one.service, "healthy")
            broken = fault(one, containers)
            if broken is None and seconds > one.deadline_s:
                late = [c for c in parts(one, containers).right if not c.well]
                if late:
                    broken = (late[0], "did not become healthy in time")
            if broken and broken[0].id in self._before and broken[0].state in ("exited", "dead"):
                # It was asked to end before this began, as on the way back: one takes its place.
                beside.start(self._doors, self._release, services)
            elif broken:
                container, what = broken
                wrong = Fault(one.service, container.id, what)
                raise explained(self._doors.docker, [wrong], seconds)

    def _drained(self, services: Sequence[Rolling]) -> None:
        """Wait until the old containers have no requests left, or their time is over.

        An edge that was restarted since the switch may give them requests again: not from here on.
        """
        clock, told = self._doors.clock, -1
        began = clock.monotonic()
        while True:
            self._doors.listener.heed()
            containers, edges = self._look()
            waiting = self._act(services, switching, containers, edges)
            passed = clock.monotonic() - began
            if waiting and passed > _SWITCH_S:
                raise Failed(f"waited too long for {waiting[0]}")
            left = sum(
                sessions(one, containers, told.servers, told.networks)
                for told in edges
                for one in services
                if one.behind and passed < one.drain_s
            )
            if not left and not waiting:
                return
            if left and left != told:
                told = left
                self._doors.listener.tell("say", text=f"  {left} requests of the old ones to end")
            clock.sleep(_LOOK_S)

    def _awaited(self, services: Sequence[Rolling]) -> None:
        """Give new containers that a restart of Docker has ended the time to be started again.

        Meanwhile the old ones are given requests.
        """
        clock = self._doors.clock
        end = clock.monotonic() + _BACK_S
        while True:
            waiting = self._act(services, switching, *self._look())
            if not waiting or clock.monotonic() >= end:
                return
            self._doors.listener.heed()
            clock.sleep(_LOOK_S)

    def _old(self, services: Sequence[Rolling]) -> list[Container]:
        containers = self._doors.docker.containers()
        found = [parts(one, containers) for one in services]
        for one, theirs in zip(services, found):
            if sum(container.well for container in theirs.right) < one.containers:
                raise Failed(f"{one.service} does not run any more; the old one is left beside it")
        return [container for theirs in found for container in theirs.old]

    def _stop(self, containers: Sequence[Container]) -> None:
        ids = tuple(
            one.id
            for one in containers
            if one.state == "running" and not any(one.id in key for key in self._stopping)
        )
        if ids:
            self._stopping[ids] = self._doors.docker.stop(ids)

    def _wait_stopped(self) -> None:
        clock, told = self._doors.clock, False
        end = clock.monotonic() + _STOPPED_S
        while not all(one.over() for one in self._stopping.values()) and clock.monotonic() < end:
            if not told:
                self._doors.listener.tell("say", text="  waiting for the old ones to end")
                told = True
            clock.sleep(_LOOK_S)
        self._stopping.clear()
