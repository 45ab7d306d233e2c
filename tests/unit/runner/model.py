"""A host in small, in which switches are tried: Docker's containers and names, HAProxy before them.

HAProxy is as it was measured to be (3.0): a place that leaves maintenance has a third of its health
until its first check; a server that follows a name keeps its address for as long as the name has
it; a restarted one knows its configuration only. Time moves only here, a little with each question
that is asked, and at every moment :attr:`Model.gaps` notes whether requests could be answered.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from slipway.runner.containers import Container
from slipway.runner.doors import Done, Doors, Events
from slipway.runner.edge import LOOK
from slipway.runner.login import Login
from slipway.testing import FakeDatasets, FakeNas

EDGE = "edge-1"
PLACE = {"service": "edge", "socket": "/run/haproxy/admin.sock"}
NETWORK = "demo_default"
TICK = 0.05
RECOVERY_S = 4.0
"""Seconds in which requests are answered again after something fell over."""

_HEADING = (
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
    "srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
    "srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord "
    "srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port"
)


class BrokenOffError(BaseException):
    """The process that switches was ended."""


@dataclass
class Box:
    """A container of the service.

    Attributes:
        well_at: when it becomes well.
        end_at: when it ends, once it was asked to.
        back_at: when Docker starts it again.
    """

    id: str
    name: str
    config: str
    address: str
    well_at: float
    state: str = "running"
    restarts: int = 0
    end_at: float = math.inf
    back_at: float = math.inf


@dataclass
class Place:
    """A server of the edge's only backend."""

    name: str
    number: int
    address: str
    mode: str
    health: int = 1
    check_at: float = 0.0

    @property
    def status(self) -> str:
        """In HAProxy's words."""
        if self.mode == "maint":
            return "MAINT"
        if not self.address:
            return "MAINT (resolution)"
        if not self.health:
            return "DOWN"
        word = "DRAIN" if self.mode == "drain" else "UP"
        return word if self.health == 3 else f"{word} {self.health}/3"


@dataclass
class Model:
    """Docker and clock of a host.

    Attributes:
        random: decides what nobody controls: when checks are made, names are looked up, and so on.
        start_s: seconds until a new container is well.
        stop_s: seconds that stopping takes.
        planned: what falls over, and when.
        switching: whether there is a process that can be broken off.
        decided: whether there is no way back any more.
    """

    random: Random
    start_s: float = 1.0
    stop_s: float = 1.0
    planned: list[tuple[float, str]] = field(default_factory=list)
    switching: bool = False
    decided: bool = False
    time: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    sessions: dict[str, list[float]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    _made: int = 0
    _fell: bool = False
    _excused: float = 0.0
    _edge_at: float = 0.0
    _look_at: float = 0.0
    _nameless_at: float | None = None

    def __post_init__(self) -> None:
        self.boxes.append(self._new("old", 0.0))
        self.boxes[0].state = "running"
        self._start_edge()
        self.sleep(5)

    # What the runner acts through.

    @property
    def doors(self) -> Doors:
        """All doors to it."""
        return Doors(self, _Folder(), self, _Listener(self), FakeNas(), FakeDatasets())

    def now(self) -> float:
        """The time."""
        return self.time

    def monotonic(self) -> float:
        """The time."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        end = self.time + seconds
        while self.time < end:
            self._tick(min(TICK, end - self.time))

    def containers(self) -> tuple[Container, ...]:
        """Those there are, and the edge."""
        self._tick(0.03)
        up = self.time >= self._edge_at
        edge = Container(
            "edge", EDGE, EDGE, "i", "running" if up else "restarting",
            addresses=((NETWORK, "10.0.0.2"),),
        )  # fmt: skip
        return (edge, *(self._shown(box) for box in self.boxes))

    def compose(
        self, file: str, arguments: Sequence[str], timeout_s: float, *, output: str = "",
        input: str = "",
    ) -> Done:  # fmt: skip
        """Obey ``up`` with ``--scale``."""
        assert arguments[0] == "up"
        scales = dict(word.split("=") for word in arguments if word.startswith("api="))
        while len(self.boxes) < int(scales["api"]):
            self._tick(0.2)
            box = self._new(file.split("/")[-2], math.inf)
            self.boxes.append(box)
            self._tick(0.2)
            box.state, box.well_at = "running", self.time + self.start_s
        return Done(0)

    def events(self) -> Events:
        """No switch asks."""
        raise AssertionError

    def execute(self, container: str, argv: Sequence[str], timeout_s: float) -> Done:
        """Obey what the edge is told."""
        self._tick(0.02)
        assert container == EDGE
        assert tuple(argv[:3]) == ("/usr/bin/probe", "admin", PLACE["socket"])
        if self.time < self._edge_at:
            return Done(1, "", "not running")
        if argv[3] == LOOK:
            return Done(0, self._state() + "\n" + self._statistics() + "\n")
        for order in argv[3].split("; "):
            self._obey(order)
        return Done(0, "\n")

    def last_lines(self, container: str, count: int) -> tuple[str, ...]:
        """None."""
        return ()

    def last_check(self, container: str, count: int) -> tuple[str, ...]:
        """None."""
        return ()

    def stop(self, containers: Sequence[str]) -> _Stopping:
        """Begin to stop some."""
        stopped = [box for box in self.boxes if box.id in containers]
        for box in stopped:
            box.end_at, box.back_at = self.time + self.stop_s, math.inf
        return _Stopping(stopped)

    def remove(self, containers: Sequence[str]) -> None:
        """Remove some."""
        self._tick(0.1)
        self.boxes = [box for box in self.boxes if box.id not in containers]

    def rename(self, container: str, name: str) -> bool:
        """Give one another name."""
        if any(box.name == name for box in self.boxes):
            return False
        next(box for box in self.boxes if box.id == container).name = name
        return True

    def end_once(self) -> int:
        """None was begun."""
        return 0

    def pull(self, source: str, reference: str, login: Login | None) -> None:
        """No switch does."""
        raise AssertionError

    def remove_images(self, references: Sequence[str]) -> int:
        """No switch does."""
        raise AssertionError

    def remove_networks(self, names: Sequence[str]) -> None:
        """No switch does."""
        raise AssertionError

    # What goes on by itself.

    def _tick(self, seconds: float) -> None:
        self.time += seconds
        while self.planned and self.planned[0][0] <= self.time:
            self._fall(self.planned.pop(0)[1])
        for box in self.boxes:
            if box.end_at <= self.time and box.state == "running":
                box.state = "exited"
            if box.back_at <= self.time:
                box.state, box.back_at = "running", math.inf
                box.restarts, box.well_at = box.restarts + 1, self.time + self.start_s
        if self.time >= self._edge_at:
            if not self.places:
                self._start_edge()
            self._follow()
            for place in self.places:
                self._check(place)
        self._judge()

    def _fall(self, what: str) -> None:
        kind, _, whose = what.partition(" ")
        if kind == "break":
            if self.switching:
                raise BrokenOffError
            return
        self._fell, self._excused = True, self.time + RECOVERY_S
        if kind == "edge":
            self.places, self._edge_at = [], self.time + 0.3
        for box in self.boxes:
            if kind in ("kill", "crash") and box.config == whose and box.state == "running":
                box.state = "exited"
                if kind == "crash" and math.isinf(box.end_at):
                    box.state, box.back_at = "restarting", self.time + 0.4

    def _judge(self) -> None:
        well = {box.address for box in self.boxes if self._well(box)}
        # What falls over while nobody is there waits for the next one.
        left = self._fell and not self.switching
        if not well or not self.places or left:
            self._excused = max(self._excused, self.time + RECOVERY_S)
        served = any(p.status.startswith("UP") and p.address in well for p in self.places)
        if not served and self.time > self._excused:
            self.gaps.append(round(self.time, 2))

    def _well(self, box: Box) -> bool:
        return box.state == "running" and self.time >= box.well_at

    def _start_edge(self) -> None:
        names = self._named()
        first = self.random.choice(names) if names else ""
        self.places = [
            Place("a", 1, first, "ready"),
            Place("b", 2, "127.0.0.1:8000", "maint"),
            Place("c", 3, "127.0.0.1:8000", "maint"),
        ]
        self.places[0].check_at = self.time + self.random.uniform(0, 1)
        self._look_at, self._nameless_at = self.time, None

    def _named(self) -> list[str]:
        return [box.address for box in self.boxes if box.state == "running"]

    def _follow(self) -> None:
        """The first place follows the service's name."""
        if self.time < self._look_at:
            return
        self._look_at = self.time + self.random.uniform(0.3, 2.0)
        names, home = self._named(), self.places[0]
        if names:
            self._nameless_at = None
            if home.address not in names:
                if not home.address:
                    home.health, home.check_at = 1, self.time + self.random.uniform(0, 1)
                home.address = self.random.choice(names)
        elif self._nameless_at is None:
            self._nameless_at = self.time
        elif self.time - self._nameless_at > 3:
            home.address = ""

    def _check(self, place: Place) -> None:
        if place.mode == "maint" or not place.address or self.time < place.check_at:
            return
        slow, fast = (2.0, 0.5) if place.number == 1 else (1.0, 0.25)
        if any(self._well(box) and box.address == place.address for box in self.boxes):
            place.health, place.check_at = 3, self.time + slow
        else:
            place.health, place.check_at = max(0, place.health - 1), self.time + fast

    def _obey(self, order: str) -> None:
        self.orders.append(order)
        words = order.split()
        name = next(word for word in words if "/" in word).partition("/")[2]
        place = next(one for one in self.places if one.name == name)
        if words[3] == "addr" if len(words) > 3 else False:
            place.address = f"{words[4]}:{words[6]}"
        elif len(words) > 3:
            if place.mode == "maint" and words[4] != "maint":
                place.health, place.check_at = 1, self.time + self.random.uniform(0, 1)
            place.mode = words[4]

    def _new(self, config: str, well_at: float) -> Box:
        self._made += 1
        taken = {box.name for box in self.boxes}
        name = next(f"demo-api-{n}" for n in range(1, 99) if f"demo-api-{n}" not in taken)
        address = f"10.0.0.{10 + self._made}:8000"
        return Box(f"c{self._made}", name, config, address, well_at, "created")

    def _shown(self, box: Box) -> Container:
        running = box.state == "running"
        return Container(
            "api", box.id, box.name, f"sha256:{box.config}", box.state,
            ("healthy" if self._well(box) else "starting") if running else "",
            box.restarts, 0 if running else 137, config=box.config,
            addresses=((NETWORK, box.address.partition(":")[0]),) if running else (),
        )  # fmt: skip

    def _state(self) -> str:
        rows = [
            f"3 api {p.number} {p.name} {p.address.partition(':')[0] or '-'} 2 0 1 1 1 6 3 4 6 0 "
            "0 0 - 8000 - 0 0 - - 0"
            for p in self.places
        ]
        return "\n".join(["1", _HEADING, *rows]) + "\n"

    def _statistics(self) -> str:
        rows = ["# pxname,svname,scur,status,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,"]
        for place in self.places:
            ends = self.sessions.get(place.address, [])
            left = sum(end > self.time for end in ends) if place.address else 0
            rows.append(f"api,{place.name},{left},{place.status},0,9,0,0,0,")
        return "\n".join([*rows, "api,BACKEND,0,UP,0,9,0,0,0,"]) + "\n"


@dataclass
class _Stopping:
    boxes: Sequence[Box]

    def over(self) -> bool:
        return all(box.state != "running" for box in self.boxes)


class _Folder:
    path = "/pool/demo"

    def current(self) -> str | None:
        raise AssertionError

    def link(self, path: str, target: str) -> None:
        raise AssertionError

    def write(self, path: str, text: str) -> None:
        raise AssertionError

    def exists(self, path: str) -> bool:
        raise AssertionError

    def append(self, path: str, line: str) -> None:
        raise AssertionError

    def mark(self, path: str) -> None:
        raise AssertionError

    def hand(self, folder: str, files: Mapping[str, str]) -> None:
        raise AssertionError

    def remove(self, paths: Sequence[str]) -> None:
        raise AssertionError


@dataclass
class _Listener:
    model: Model

    def tell(self, event: str, **fields: object) -> None:
        self.model.said.append(f"{event} {fields}")

    def heed(self) -> None:
        pass

    def ignore(self) -> None:
        pass

    def turn(
        self, step: str, index: int, seconds: float, look: Callable[[], None] | None = None
    ) -> bool:
        raise AssertionError
