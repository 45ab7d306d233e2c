"""What a deploy asks of the host's Docker, as one door, and all the doors it acts through.

The real one is :class:`slipway.hosts.docker.DockerEngine`; tests have one that keeps its
containers in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from slipway.doors import Clock, Completed, Host, Http, Shell
from slipway.hosts.container import Container
from slipway.images.transfer import Transfer
from slipway.images.values import HeldImages
from slipway.report import Progress, Report


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """Docker on a host.

    Attributes:
        docker: the engine's version, such as ``26.1.5``.
        compose: the Compose plugin's version.
        root: folder where the engine keeps images.
    """

    docker: str
    compose: str
    root: str


class Engine(Protocol):
    """Docker and Compose on a host, for one application."""

    def facts(self) -> EngineFacts:
        """Versions and places.

        Raises:
            HostError: there is no Docker or Compose, or they don't answer.
        """

    def images(self) -> HeldImages:
        """The images there."""

    def containers(self) -> tuple[Container, ...]:
        """The application's containers, stopped and one-off ones included."""

    def load(self, transfer: Transfer, progress: Progress) -> int:
        """Send images and load them.

        Returns:
            Bytes that went over the wire, compressed.

        Raises:
            HostError: the connection broke, or the host could not load them.
            BuildError: an image differs from its description.
        """

    def compose(
        self, file: str, arguments: Sequence[str], *, timeout: float, check: bool = True
    ) -> Completed:
        """Run Compose with a release's file.

        Raises:
            CommandFailed: it failed (with ``check``) or ran out of time.
        """

    def compose_argv(self, file: str, arguments: Sequence[str]) -> tuple[str, ...]:
        """The command :meth:`compose` runs, for use with a terminal."""

    def last_lines(self, container: str, count: int) -> tuple[str, ...]:
        """The last lines a container wrote; empty when it is gone."""

    def remove_images(self, references: Sequence[str]) -> tuple[str, ...]:
        """Remove tags.

        Returns:
            Those that could not be removed because a container uses them.
        """


@dataclass(frozen=True, slots=True)
class Doors:
    """Everything a deploy acts through.

    Attributes:
        host: the target.
        engine: its Docker.
        shell: this machine.
        http: requests to the stack.
        clock: time.
        report: the person.
        root: the checkout.
    """

    host: Host
    engine: Engine
    shell: Shell
    http: Http
    clock: Clock
    report: Report
    root: Path
