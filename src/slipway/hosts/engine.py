"""What is asked of a host's Docker, as one door.

The real one is :class:`slipway.hosts.docker.DockerEngine`; tests have one that keeps its
containers in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from slipway.hosts.facts import Facts
from slipway.hosts.inspect import EngineState
from slipway.images.transfer import Transfer
from slipway.report import Progress
from slipway.runner.containers import Container

#: Seconds after which what was seen ahead is asked again: something was built or booted meanwhile.
FRESH_S = 5.0
#: The same of what a host is like: of that only free space and ports may change by themselves.
FRESH_FACTS_S = 20.0


class Engine(Protocol):
    """Docker and Compose on a host, for one application."""

    @property
    def project(self) -> str:
        """Compose's project name of the application."""

    def of(self, project: str) -> Engine:
        """The same engine, for an application of another project."""

    def facts(self, app_dir: str) -> Facts:
        """What the host is like, in one round trip; in none where it was just asked ahead.

        Args:
            app_dir: the application's folder, for which writing is tried and free space counted.

        Raises:
            HostError: there is no Docker or Compose, or they don't answer.
        """

    def state(self) -> EngineState:
        """What the engine holds, in one round trip; in none where it was just asked ahead.

        Raises:
            HostError: there is no Docker, or it doesn't answer.
        """

    def look_ahead(self) -> None:
        """Ask what the engine holds, for the next :meth:`state` within ``FRESH_S``.

        Raises:
            HostError: as for :meth:`state`.
        """

    def look_round(self, app_dir: str) -> None:
        """Ask what the host is like, for the next :meth:`facts` within ``FRESH_FACTS_S``.

        Raises:
            HostError: as for :meth:`facts`.
        """

    def containers(self) -> tuple[Container, ...]:
        """The application's containers, stopped and one-off ones included, in one round trip."""

    def load(self, transfer: Transfer, progress: Progress) -> int:
        """Send images and load them.

        Returns:
            Bytes that went over the wire, compressed.

        Raises:
            HostError: the connection broke, or the host could not load them.
            BuildError: an image differs from its description.
        """

    def compose_argv(self, file: str, arguments: Sequence[str]) -> tuple[str, ...]:
        """The command that runs Compose with a release's file, for use with a terminal."""
