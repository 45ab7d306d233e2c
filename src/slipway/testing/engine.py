"""Docker and Compose in memory."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slipway.hosts.facts import Facts
from slipway.hosts.inspect import EngineState
from slipway.images.transfer import Transfer
from slipway.images.values import HeldImages, Image
from slipway.report import Progress
from slipway.runner.containers import Container
from slipway.runner.doors import Done
from slipway.runner.login import Login
from slipway.runner.pull import failure
from slipway.stack.health import replicas
from slipway.stack.render import CONFIG_LABEL
from slipway.testing.doors import FakeClock
from slipway.testing.folder import FakeFolder
from slipway.testing.nas import FakeNas


@dataclass
class FakeEngine:
    """Docker by both doors, :class:`slipway.hosts.engine.Engine` and the runner's own.

    Its containers follow the files of ``folder``.

    Attributes:
        folder: where Compose files are read.
        clock: moves while containers are waited for.
        held: reference to image.
        running: the containers there are.
        commands: every Compose command's arguments.
        pending: what a command with ``--plan`` prints.
        sick: image ids whose containers are unhealthy.
        broken_up: gives what ``up`` says when it fails, or None when it doesn't.
        migrate_code: what other one-off commands end with.
        in_use: references that can't be removed.
        ports: TCP ports in use.
        volumes: of the application.
        confined: by what Docker confines containers; None when it does not say.
        removed_networks: names.
        pulls: source and reference of every image that was pulled, and the login it was shown.
        offered: source to image, of a registry.
        loads: every transfer.
        executed: container and command of every program that ran in one.
        once: one-off containers that a run began and that go on.
        looks: how often it was asked ahead.
        rounds: the folders that it was asked of ahead.
        unreachable: why it can't be, or None.
        nas: TrueNAS' middleware.
        is_nas: whether it is a TrueNAS' engine.
        project: Compose's project name.
        others: those of other projects.
    """

    folder: FakeFolder
    clock: FakeClock = field(default_factory=FakeClock)
    held: dict[str, Image] = field(default_factory=dict)
    running: list[Container] = field(default_factory=list)
    commands: list[tuple[str, ...]] = field(default_factory=list)
    pending: list[dict[str, str]] = field(default_factory=list)
    sick: set[str] = field(default_factory=set)
    broken_up: Callable[[], str | None] = field(default=lambda: None)
    migrate_code: int = 0
    in_use: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()
    confined: frozenset[str] | None = None
    removed_networks: list[str] = field(default_factory=list)
    pulls: list[tuple[str, str, Login | None]] = field(default_factory=list)
    offered: dict[str, Image] = field(default_factory=dict)
    loads: list[Transfer] = field(default_factory=list)
    executed: list[tuple[str, ...]] = field(default_factory=list)
    once: list[str] = field(default_factory=list)
    looks: int = 0
    rounds: list[str] = field(default_factory=list)
    unreachable: Exception | None = None
    nas: FakeNas = field(default_factory=FakeNas)
    is_nas: bool = False
    project: str = "demo"
    others: dict[str, FakeEngine] = field(default_factory=dict)
    made: int = 0

    def of(self, project: str) -> FakeEngine:
        """The one of another project; one without containers when there is none."""
        return self.others.setdefault(project, FakeEngine(self.folder, self.clock, project=project))

    def facts(self, app_dir: str) -> Facts:
        """A recent Docker and a lot of room."""
        room = 9_000_000_000
        return Facts(
            "26.1.5",
            "2.26.1",
            docker_free=room,
            app_free=room,
            listening=frozenset(self.ports),
            volumes=self.volumes,
            nas=self.is_nas,
            confined=self.confined,
        )

    def state(self) -> EngineState:
        """What was loaded, and the containers there are."""
        chains = tuple(tuple(layer.digest for layer in one.layers) for one in self.held.values())
        images = HeldImages(chains, {ref: one.config_digest for ref, one in self.held.items()})
        return EngineState(images, tuple(self.running), app=self.nas.included)

    def look_ahead(self) -> None:
        """Note it, or fail as it was set to."""
        self.looks += 1
        if self.unreachable is not None:
            raise self.unreachable

    def look_round(self, app_dir: str) -> None:
        """Note it."""
        self.rounds.append(app_dir)

    def containers(self) -> tuple[Container, ...]:
        """Those there are."""
        return tuple(self.running)

    def load(self, transfer: Transfer, progress: Progress) -> int:
        """Hold the images from now on."""
        self.loads.append(transfer)
        self.held |= {one.reference: one for one in transfer.images}
        progress.advance(transfer.bytes_to_send)
        return transfer.bytes_to_send

    def compose_argv(self, file: str, arguments: Sequence[str]) -> tuple[str, ...]:
        """The command line."""
        return ("docker", "compose", "-f", file, *arguments)

    def compose(
        self, file: str, arguments: Sequence[str], timeout_s: float, *, output: str = "",
        input: str = "",
    ) -> Done:  # fmt: skip
        """Obey ``up``, ``down``, ``rm``, ``run`` and ``exec``."""
        self.commands.append(tuple(arguments))
        document = json.loads(self.folder.files[file.removeprefix(f"{self.folder.path}/")])
        if arguments[0] == "up":
            failure = self.broken_up()
            if failure is not None:
                return Done(1, "", failure)
            self._up(document, arguments)
        elif arguments[0] == "down":
            self.running.clear()
        elif arguments[0] == "rm":
            self.running = [one for one in self.running if one.service not in arguments]
        elif arguments[0] == "run" and "--plan" in arguments:
            return Done(0, json.dumps(self.pending))
        elif arguments[0] == "run" and self.migrate_code:
            return Done(self.migrate_code, "", "no such table\n")
        if output:
            self.folder.files[output.removeprefix(f"{self.folder.path}/")] = b"dumped"
        return Done(0)

    def pull(self, source: str, reference: str, login: Login | None) -> None:
        """Hold what a registry offers from now on."""
        self.pulls.append((source, reference, login))
        if source not in self.offered:
            raise failure(source, Done(1, "", "manifest unknown"))
        self.held[reference] = self.offered[source]

    def events(self) -> FakeEvents:
        """Nothing happens."""
        return FakeEvents()

    def execute(self, container: str, argv: Sequence[str], timeout_s: float) -> Done:
        """Every program succeeds, except in containers of a sick image."""
        self.executed.append((container, *argv))
        (one,) = (one for one in self.running if one.id == container)
        return Done(1, "", "it is ill") if one.image_id in self.sick else Done(0)

    def stop(self, containers: Sequence[str]) -> FakeStopping:
        """Stop them at once."""
        self.running = [
            replace(one, state="exited") if one.id in containers else one for one in self.running
        ]
        return FakeStopping()

    def remove(self, containers: Sequence[str]) -> None:
        """Remove them."""
        self.running = [one for one in self.running if one.id not in containers]

    def end_once(self) -> int:
        """End them."""
        count = len(self.once)
        self.once.clear()
        return count

    def rename(self, container: str, name: str) -> bool:
        """Give one another name."""
        self.running = [
            replace(one, name=name) if one.id == container else one for one in self.running
        ]
        return True

    def _up(self, document: dict[str, Any], arguments: Sequence[str]) -> None:
        scales = dict(
            word.split("=") for flag, word in itertools.pairwise(arguments)
            if flag == "--scale"
        )  # fmt: skip
        named = [name for name in arguments[1:] if name in document["services"]]
        for name, body in document["services"].items():
            if (named and name not in named) or body.get("profiles"):
                continue
            wanted = self.held[str(body["image"])].config_digest
            config = body["labels"][CONFIG_LABEL]
            theirs = [one for one in self.running if one.service == name]
            others = [one for one in self.running if one.service != name]
            same = [
                c for c in theirs if (c.image_id, c.config, c.one_off) == (wanted, config, False)
            ]
            count = int(scales.get(name, replicas(body)))
            kept = [] if "--force-recreate" in arguments else same[:count]
            once = [one for one in theirs if one.one_off]
            if "--no-recreate" in arguments:
                kept = [one for one in theirs if not one.one_off]
            new = [self._new(name, wanted, config) for _ in range(count - len(kept))]
            self.running = [*others, *once, *kept, *new]
        if "--remove-orphans" in arguments:
            self.running = [c for c in self.running if c.service in document["services"]]

    def _new(self, service: str, image: str, config: str) -> Container:
        self.made += 1
        web = service == "web"
        health = ("unhealthy" if image in self.sick else "healthy") if web else ""
        return Container(
            service,
            f"c{self.made}",
            service,
            image,
            "running",
            health,
            config=config,
            ports=(8080,) if web else (),
        )

    def last_lines(self, container: str, count: int) -> tuple[str, ...]:
        """One line."""
        return (f"the last words of {container}",)

    def last_check(self, container: str, count: int) -> tuple[str, ...]:
        """One line of a container that is ill."""
        ill = any(one.id == container and one.health == "unhealthy" for one in self.running)
        return (f"the health check of {container}",) if ill else ()

    def remove_images(self, references: Sequence[str]) -> int:
        """Forget them, unless they are in use."""
        for reference in references:
            if reference not in self.in_use:
                self.held.pop(reference, None)
        return sum(reference in self.in_use for reference in references)

    def remove_networks(self, names: Sequence[str]) -> None:
        """Remember their names."""
        self.removed_networks += names

    def crash(self, service: str, **changes: object) -> None:
        """Change a container behind everybody's back."""
        self.running = [
            replace(one, **changes) if one.service == service else one  # type: ignore[arg-type]
            for one in self.running
        ]


class FakeEvents:
    """No events."""

    def end(self) -> str:
        """None."""
        return ""


class FakeStopping:
    """Containers that were stopped at once."""

    def over(self) -> bool:
        """It is."""
        return True
