"""The real :class:`slipway.hosts.engine.Engine`: Docker and Compose on a host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slipway.doors import Host
from slipway.errors import HostError
from slipway.hosts.delta import LIMIT, Delta
from slipway.hosts.facts import Facts, read_facts
from slipway.hosts.inspect import EngineState, read_containers, read_state
from slipway.hosts.load import Loaded, load, pick_encoding
from slipway.images.archive import archive
from slipway.images.compress import compressed
from slipway.images.transfer import Transfer, whole
from slipway.report import Progress
from slipway.runner.containers import Container

_STALL_S = 60.0


class DockerEngine:
    """Docker on a host, for one application.

    Args:
        host: where.
        project: Compose's project name.
        docker: the docker program there.
        delta: sends small archives as a difference; None where no bytes are to be saved.
    """

    def __init__(
        self, host: Host, project: str, docker: str = "docker", *, delta: Delta | None = None
    ) -> None:
        self._host, self._project, self._docker, self._delta = host, project, docker, delta
        self._facts: Facts | None = None

    def facts(self, app_dir: str) -> Facts:
        """What the host is like; see :meth:`slipway.hosts.engine.Engine.facts`."""
        self._facts = read_facts(self._host, app_dir, self._project, docker=self._docker)
        return self._facts

    def state(self) -> EngineState:
        """What the engine holds."""
        return read_state(self._host, self._project, docker=self._docker)

    def containers(self) -> tuple[Container, ...]:
        """The application's containers; see :meth:`slipway.hosts.engine.Engine.containers`."""
        return read_containers(self._host, self._project, docker=self._docker)

    def load(self, transfer: Transfer, progress: Progress) -> int:
        """Send images, as a difference if possible; what is in doubt is sent once more, whole."""
        wire = _Wire()
        loaded = self._difference(transfer, progress, wire) or self._stream(
            transfer, progress, wire
        )
        if loaded.doubtful:
            loaded = self._stream(whole(loaded.doubtful), progress, wire)
        if loaded.doubtful:
            names = ", ".join(image.reference for image in loaded.doubtful)
            raise HostError(
                f"Docker on {self._host.name} did not load {names} as sent; what runs still runs",
                details=loaded.said,
                hint="look at free disk space and at Docker's own log there",
                stage="transfer",
            )
        if self._delta is not None and transfer.bytes_to_send > LIMIT:
            self._delta.seed(transfer.images, self._known(), wire.counted)
        return wire.bytes

    def compose_argv(self, file: str, arguments: Sequence[str]) -> tuple[str, ...]:
        """The command that runs Compose with a release's file."""
        return (self._docker, "compose", "-p", self._project, "-f", file, *arguments)

    def _difference(self, transfer: Transfer, progress: Progress, wire: _Wire) -> Loaded | None:
        """Send a transfer as a difference; None when it has to go in the usual way."""
        loaded = (
            self._delta.load(transfer, self._known(), wire.counted)
            if self._delta is not None
            else None
        )
        if loaded is not None:
            progress.advance(transfer.bytes_to_send)
        return loaded

    def _stream(self, transfer: Transfer, progress: Progress, wire: _Wire) -> Loaded:
        """Send a transfer in the way that any host takes."""
        chunks = compressed(
            _counted(archive(transfer), progress),
            pick_encoding(self._known()),
            size=transfer.bytes_to_send,
        )
        return load(
            self._host,
            wire.counted(chunks),
            transfer.images,
            docker=self._docker,
            stall_timeout=_STALL_S,
        )

    def _known(self) -> Facts:
        """The facts that were asked for before anything is sent."""
        if self._facts is None:
            raise AssertionError("facts() comes before load()")
        return self._facts


class _Wire:
    """Counts the bytes that really go out."""

    def __init__(self) -> None:
        self.bytes = 0

    def counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks as they are."""
        for chunk in chunks:
            self.bytes += len(chunk)
            yield chunk


def _counted(chunks: Iterator[bytes], progress: Progress) -> Iterator[bytes]:
    for chunk in chunks:
        progress.advance(len(chunk))
        yield chunk
