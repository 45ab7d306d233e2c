"""The real :class:`slipway.hosts.engine.Engine`: Docker and Compose on a host."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from slipway.doors import Host
from slipway.hosts.engine import FRESH_FACTS_S, FRESH_S
from slipway.hosts.facts import Facts, read_facts
from slipway.hosts.inspect import EngineState, read_containers, read_state
from slipway.images.transfer import Transfer
from slipway.report import Progress
from slipway.runner.containers import Container

if TYPE_CHECKING:
    from slipway.hosts.delta import Delta

# $1 docker, $2 project, $3 a release's file, then arguments. Beside it there may be another one for
# an older Docker or Compose (slipway.runner.older).
_COMPOSE = """docker=$1 project=$2 file=$3 older=${3%.json}.older.json
shift 3
[ ! -f "$older" ] || file=$older
exec "$docker" compose -p "$project" -f "$file" "$@"
"""


class DockerEngine:
    """Docker on a host, for one application.

    Args:
        host: where.
        project: Compose's project name.
        docker: the docker program there.
        delta: makes what sends small archives as a difference; None where no bytes are to be
            saved.
        warn: told when a line broke and the transfer goes on.
    """

    def __init__(
        self,
        host: Host,
        project: str,
        docker: str = "docker",
        *,
        delta: Callable[[], Delta] | None = None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._host, self._project, self._docker, self._delta = host, project, docker, delta
        self._warn = warn
        self._facts: Facts | None = None
        self._looked: tuple[float, EngineState] | None = None
        self._round: tuple[float, Facts] | None = None
        # Whoever needs what is being asked just now waits for it.
        self._asking = threading.Lock()

    @property
    def project(self) -> str:
        """Compose's project name."""
        return self._project

    def of(self, project: str) -> DockerEngine:
        """The same engine for another project; see :meth:`slipway.hosts.engine.Engine.of`."""
        return DockerEngine(self._host, project, self._docker, delta=self._delta, warn=self._warn)

    def facts(self, app_dir: str) -> Facts:
        """What the host is like; see :meth:`slipway.hosts.engine.Engine.facts`."""
        with self._asking:
            found, self._round = self._round, None
        if found is not None and time.monotonic() - found[0] <= FRESH_FACTS_S:
            self._facts = found[1]
        else:
            self._facts = self._read_facts(app_dir)
        return self._facts

    def state(self) -> EngineState:
        """What the engine holds; see :meth:`slipway.hosts.engine.Engine.state`."""
        looked, self._looked = self._looked, None
        if looked is not None and time.monotonic() - looked[0] <= FRESH_S:
            return looked[1]
        return read_state(self._host, self._project, docker=self._docker)

    def look_ahead(self) -> None:
        """Ask before it is needed; see :meth:`slipway.hosts.engine.Engine.look_ahead`."""
        asked = time.monotonic()
        self._looked = (asked, read_state(self._host, self._project, docker=self._docker))

    def look_round(self, app_dir: str) -> None:
        """Ask before it is needed; see :meth:`slipway.hosts.engine.Engine.look_round`."""
        with self._asking:
            asked = time.monotonic()
            self._round = (asked, self._read_facts(app_dir))

    def _read_facts(self, app_dir: str) -> Facts:
        return read_facts(self._host, app_dir, self._project, docker=self._docker)

    def containers(self) -> tuple[Container, ...]:
        """The application's containers; see :meth:`slipway.hosts.engine.Engine.containers`."""
        return read_containers(self._host, self._project, docker=self._docker)

    def load(self, transfer: Transfer, progress: Progress) -> int:
        """Send images, as a difference if possible; see :mod:`slipway.hosts.sending`."""
        from slipway.hosts.sending import Sending, Wire, persist

        if self._facts is None:
            raise AssertionError("facts() comes before load()")
        delta = self._delta() if self._delta is not None else None
        wire = Wire(progress, transfer.bytes_to_send)
        sending = Sending(self._host, self._docker, self._facts, delta, wire)
        persist(sending, transfer, lambda: self.state().images, self._warn)
        return wire.bytes

    def compose_argv(self, file: str, arguments: Sequence[str]) -> tuple[str, ...]:
        """The command that runs Compose with a release's file."""
        return ("sh", "-c", _COMPOSE, "compose", self._docker, self._project, file, *arguments)
