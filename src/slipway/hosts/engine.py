"""What is asked of a host's Docker, as one door.

The real one is :class:`slipway.hosts.docker.DockerEngine`; tests have one that keeps its
containers in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from slipway.doors import Completed
from slipway.runner.containers import Container
from slipway.hosts.facts import Facts
from slipway.hosts.inspect import EngineState
from slipway.images.transfer import Transfer
from slipway.report import Progress


class Engine(Protocol):
    """Docker and Compose on a host, for one application."""

    def facts(self, app_dir: str) -> Facts:
        """What the host is like, in one round trip.

        Args:
            app_dir: the application's folder, for which writing is tried and free space counted.

        Raises:
            HostError: there is no Docker or Compose, or they don't answer.
        """

    def state(self) -> EngineState:
        """What the engine holds, in one round trip.

        Raises:
            HostError: there is no Docker, or it doesn't answer.
        """

    def containers(
        self, services: Sequence[str] = (), *, pause_s: float = 0.0, patience_s: float = 0.0
    ) -> tuple[Container, ...]:
        """The application's containers, stopped and one-off ones included, in one round trip.

        Args:
            services: whose changes are waited for.
            pause_s: seconds that pass before the first look.
            patience_s: seconds it goes on looking at most, while those of ``services`` are
                starting and none is in trouble.
        """

    def load(self, transfer: Transfer, progress: Progress) -> int:
        """Send images and load them.

        Returns:
            Bytes that went over the wire, compressed.

        Raises:
            HostError: the connection broke, or the host could not load them.
            BuildError: an image differs from its description.
        """

    def compose(self, file: str, arguments: Sequence[str], *, timeout: float) -> Completed:
        """Run Compose with a release's file.

        Raises:
            CommandFailed: it failed or ran out of time.
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

    def remove_networks(self, names: Sequence[str]) -> None:
        """Remove networks of the application, by their names in Compose's file.

        Raises:
            CommandFailed: one is in use; one that is gone already is no error.
        """
