"""Carry out actions on the host, one after the other: the only place that turns them into deeds.

An action comes as the JSON that :mod:`slipway.plan.actions` makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.runner import compose, pull
from slipway.runner.doors import Doors
from slipway.runner.expected import Expected
from slipway.runner.failure import Failed
from slipway.runner.handed import handed_folder, untold_mark
from slipway.runner.health import check_health
from slipway.runner.login import Login
from slipway.runner.putback import HALF, SNAPSHOTS
from slipway.runner.register import redeploy, register, stop, unregister
from slipway.runner.rolling import Roller
from slipway.runner.soak import soak
from slipway.runner.watch import Fault
from slipway.runner.watching import check_services, explained

Json = Mapping[str, Any]
_TAKE_S = 60.0
_SHOWN_LINES = 10
_AGAIN_S = 1.0


@dataclass
class Carrier:
    """Carries out the actions of one run.

    Attributes:
        doors: what it acts through.
        edge: the edge's service and the path of its socket; None where there is no edge.
        failed_over: services that were switched without a gap.
        absent: what could not be done because nobody was there to do it.
        login: to the registry that images come from; None for the host's own.
    """

    doors: Doors
    edge: Json | None = None
    failed_over: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    login: Login | None = None

    def __post_init__(self) -> None:
        self._roller = Roller(self.doors, self.edge)
        self._well: tuple[Expected, ...] = ()

    def carry_out(self, step: str, actions: Sequence[Json]) -> None:
        """Do each action, until one says that the rest has nothing to do.

        Args:
            step: the name of the step they are of.
            actions: in order.

        Raises:
            Failed: what an action checks isn't so, or what it starts failed.
        """
        for index, action in enumerate(actions):
            self.doors.listener.heed()
            if action["where"] == "here":
                seconds = float(action["timeout_s"])
                if not self.doors.listener.turn(step, index, seconds, self._look):
                    self.absent.append(str(action["action"]))
            elif not _DEEDS[action["action"]](self, action):
                return

    def _compose(self, action: Json) -> bool:
        return compose.carry_out(self.doors, action)

    def _pull(self, action: Json) -> bool:
        pull.carry_out(self.doors, action, self.login)
        return True

    def _watch(self, action: Json) -> bool:
        self._well = _expected(action)
        check_services(self.doors, self._well)
        return True

    def _look(self) -> None:
        """Whether what was seen to be well is still there, while somebody else asks it.

        Who asks a stack whose edge was removed gets no answer, and tries for a minute.

        Raises:
            Failed: somebody removed a container.
        """
        there = self.doors.docker.containers()
        for one in self._well:
            number = sum(one.counts(container) for container in there)
            if number < one.containers:
                raise Failed(f"{one.service} was removed: {number} of {one.containers} are there")

    def _write(self, action: Json) -> bool:
        for entry in action["entries"]:
            if entry["kind"] == "text":
                self.doors.folder.write(entry["path"], entry["text"])
            else:
                self.doors.folder.link(entry["path"], entry["target"])
        return True

    def _remove(self, action: Json) -> bool:
        docker = self.doors.docker
        stayed = docker.remove_images(action["images"]) if action["images"] else 0
        if action["networks"]:
            docker.remove_networks(action["networks"])
        if action["paths"]:
            self.doors.folder.remove(action["paths"])
        if action["images"] or action["paths"]:
            gone = {"images": len(action["images"]) - stayed, "paths": len(action["paths"])}
            self.doors.listener.tell("removed", bytes=action["bytes"], **gone)
        return True

    def _start(self, action: Json) -> bool:
        self._roller.start(action)
        return True

    def _roll(self, action: Json) -> bool:
        switched = self._roller.switch(action)
        self.failed_over += [one for one in switched if one not in self.failed_over]
        return True

    def _retire(self, action: Json) -> bool:
        self._roller.retire(action)
        return True

    def _count(self, action: Json) -> bool:
        number = self._roller.requests()
        if number is not None:
            self.doors.listener.tell("requests", count=number)
        return True

    def _room(self, action: Json) -> bool:
        self._roller.room(action)
        return True

    def _soak(self, action: Json) -> bool:
        soak(self.doors, self._roller, _expected(action), action["seconds"], action["errors"])
        return True

    def _hand(self, action: Json) -> bool:
        folder, mark = handed_folder(action["service"]), untold_mark(action["service"])
        if not action["command"]:
            self.doors.folder.hand(folder, action["files"])
            return True
        # Whoever comes after one that was broken off sees that the service was not told.
        self.doors.folder.mark(mark)
        self.doors.folder.hand(folder, action["files"])
        taken(self.doors, action["service"], action["command"])
        self.doors.folder.remove([mark])
        return True

    def _register(self, action: Json) -> bool:
        register(self.doors.nas, action["app"], action["document"])
        return True

    def _unregister(self, action: Json) -> bool:
        unregister(self.doors.nas, action["app"])
        return True

    def _redeploy(self, action: Json) -> bool:
        try:
            redeploy(self.doors.nas, action["app"])
        except Failed as failed:
            raise _with_crashes(self.doors, failed) from failed
        return True

    def _stop(self, action: Json) -> bool:
        stop(self.doors.nas, action["app"])
        return True

    def _snapshot(self, action: Json) -> bool:
        by, dataset, name = action["by"], action["dataset"], action["name"]
        if action["anew"]:
            self.doors.datasets.destroy(by, dataset, name)
        self.doors.datasets.take(by, dataset, name)
        shown = f"{action['path']}/{SNAPSHOTS}/{name}"
        self.doors.folder.link(action["link"], shown)
        self.doors.listener.tell("say", text=f"  {dataset}@{name}")
        return True

    def _forget(self, action: Json) -> bool:
        for one in action["snapshots"]:
            why = self.doors.datasets.destroy(one["by"], one["dataset"], one["name"])
            if why:
                text = f"  {one['dataset']}@{one['name']} stays: {why.splitlines()[0]}"
                self.doors.listener.tell("say", text=text)
        return True

    def _rewind(self, action: Json) -> bool:
        # Until it is through, what lies there is of no moment, and nobody may be served from it.
        self.doors.folder.write(HALF, action["kept"] + "\n")
        # Back to the data of before nothing is counted: it has to be tried.
        there = action["name"] != action["kept"]
        heed = self.doors.listener.heed
        self.doors.datasets.put_back(action["paths"], action["name"], heed, room=there)
        self.doors.folder.write(HALF, "")
        return True

    def _revert(self, action: Json) -> bool:
        self.doors.datasets.revert(action["by"], action["dataset"], action["name"])
        return True

    def _check(self, action: Json) -> bool:
        check_health(self.doors, action["checks"], _expected(action))
        return True


_DEEDS: Mapping[str, Callable[[Carrier, Json], bool]] = {
    "compose": Carrier._compose,
    "pull": Carrier._pull,
    "watch": Carrier._watch,
    "write": Carrier._write,
    "remove": Carrier._remove,
    "start": Carrier._start,
    "roll": Carrier._roll,
    "retire": Carrier._retire,
    "room": Carrier._room,
    "count": Carrier._count,
    "soak": Carrier._soak,
    "check": Carrier._check,
    "hand": Carrier._hand,
    "register": Carrier._register,
    "unregister": Carrier._unregister,
    "redeploy": Carrier._redeploy,
    "stop": Carrier._stop,
    "snapshot": Carrier._snapshot,
    "forget": Carrier._forget,
    "rewind": Carrier._rewind,
    "revert": Carrier._revert,
}


_CHANGING = ("compose", "start", "roll", "retire", "rewind", "revert", "redeploy", "stop")


def changes(action: Json) -> bool:
    """Whether an action changes what runs; files and images that nothing uses don't. Pure."""
    kind = action["action"]
    return (
        kind in _CHANGING
        or (kind == "remove" and bool(action["networks"]))
        or (kind == "hand" and bool(action["command"]))
    )


def _with_crashes(doors: Doors, failed: Failed) -> Failed:
    """Why TrueNAS could not start an app: it says where to read that, and names no service."""
    crashed = [one for one in doors.docker.containers() if one.exit_code and not one.well]
    if not crashed:
        return failed
    faults = [Fault(one.service, one.id, "crashed") for one in crashed]
    cause, told = failed.cause, explained(doors.docker, faults).cause
    return Failed(cause.message, details=(told.message, *told.details), hint=cause.hint)


def _expected(action: Json) -> tuple[Expected, ...]:
    return tuple(Expected.from_json(one) for one in action["expected"])


def taken(doors: Doors, service: str, argv: Sequence[str]) -> None:
    """Have the running containers of a service take their secrets.

    One that has just been started, by a host that came back, can't yet: it is asked for a minute.

    Raises:
        Failed: one does not; its last lines are in the details.
    """
    end = doors.clock.monotonic() + _TAKE_S
    for container in doors.docker.containers():
        if (container.service, container.state, container.one_off) != (service, "running", False):
            continue
        while not (done := doors.docker.execute(container.id, argv, _TAKE_S)).ok:
            doors.listener.heed()
            if doors.clock.monotonic() >= end:
                raise Failed(
                    f"{service} does not take its secrets",
                    details=(done.err or done.out).strip().splitlines()[-_SHOWN_LINES:],
                )
            doors.clock.sleep(_AGAIN_S)
