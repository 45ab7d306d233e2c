"""Docker and Compose in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slipway.doors import Completed
from slipway.errors import CommandFailed
from slipway.runner.containers import Container
from slipway.hosts.facts import Facts
from slipway.hosts.inspect import EngineState
from slipway.images.transfer import Transfer
from slipway.images.values import HeldImages, Image
from slipway.report import Progress
from slipway.stack.health import replicas
from slipway.stack.render import CONFIG_LABEL
from slipway.testing.doors import FakeClock
from slipway.testing.folder import FakeFolder


@dataclass
class FakeEngine:
    """A :class:`slipway.hosts.engine.Engine` whose containers follow the files of ``folder``.

    Attributes:
        folder: where Compose files are read.
        clock: moves while containers are waited for.
        held: reference to image.
        running: the containers there are.
        commands: every Compose command's arguments.
        pending: what a command with ``--plan`` prints.
        sick: image ids whose containers are unhealthy.
        broken_up: gives what ``up`` fails with, or None.
        migrate_code: what other one-off commands end with.
        in_use: references that can't be removed.
        ports: TCP ports in use.
        volumes: of the application.
        removed_networks: names.
        loads: every transfer.
    """

    folder: FakeFolder
    clock: FakeClock = field(default_factory=FakeClock)
    held: dict[str, Image] = field(default_factory=dict)
    running: list[Container] = field(default_factory=list)
    commands: list[tuple[str, ...]] = field(default_factory=list)
    pending: list[dict[str, str]] = field(default_factory=list)
    sick: set[str] = field(default_factory=set)
    broken_up: Callable[[], Exception | None] = field(default=lambda: None)
    migrate_code: int = 0
    in_use: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()
    removed_networks: list[str] = field(default_factory=list)
    loads: list[Transfer] = field(default_factory=list)
    made: int = 0

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
        )

    def state(self) -> EngineState:
        """What was loaded, and the containers there are."""
        chains = tuple(tuple(layer.digest for layer in one.layers) for one in self.held.values())
        images = HeldImages(chains, {ref: one.config_digest for ref, one in self.held.items()})
        return EngineState(images, tuple(self.running))

    def containers(
        self, services: Sequence[str] = (), *, pause_s: float = 0.0, patience_s: float = 0.0
    ) -> tuple[Container, ...]:
        """Those there are, after the pause; while one is starting, after the patience too."""
        self.clock.sleep(pause_s)
        if any(one.health == "starting" for one in self.running if one.service in services):
            self.clock.sleep(patience_s)
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

    def compose(self, file: str, arguments: Sequence[str], *, timeout: float) -> Completed:
        """Obey ``up``, ``down`` and ``run``."""
        self.commands.append(tuple(arguments))
        document = json.loads(self.folder.files[file.removeprefix(f"{self.folder.path}/")])
        if arguments[0] == "up":
            self._up(document, arguments)
        elif arguments[0] == "down":
            self.running.clear()
        elif arguments[0] == "rm":
            self.running = [one for one in self.running if one.service not in arguments]
        elif arguments[0] == "run" and "--plan" in arguments:
            return Completed((), 0, json.dumps(self.pending).encode(), b"")
        elif arguments[0] == "run" and self.migrate_code:
            said = "no such table\n"
            raise CommandFailed(tuple(arguments), self.migrate_code, said, where="nas")
        return Completed((), 0, b"", b"")

    def _up(self, document: dict[str, Any], arguments: Sequence[str]) -> None:
        failure = self.broken_up()
        if failure is not None:
            raise failure
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
            kept = [] if "--force-recreate" in arguments else same[: replicas(body)]
            once = [one for one in theirs if one.one_off]
            new = [self._new(name, wanted, config) for _ in range(replicas(body) - len(kept))]
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

    def remove_images(self, references: Sequence[str]) -> tuple[str, ...]:
        """Forget them, unless they are in use."""
        for reference in references:
            if reference not in self.in_use:
                self.held.pop(reference, None)
        return tuple(reference for reference in references if reference in self.in_use)

    def remove_networks(self, names: Sequence[str]) -> None:
        """Remember their names."""
        self.removed_networks += names

    def crash(self, service: str, **changes: object) -> None:
        """Change a container behind everybody's back."""
        self.running = [
            replace(one, **changes) if one.service == service else one  # type: ignore[arg-type]
            for one in self.running
        ]
