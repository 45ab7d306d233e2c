"""The real :class:`slipway.hosts.engine.Engine`: Docker and Compose on a host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from slipway.doors import Completed, Host
from slipway.errors import CommandFailed, HostError
from slipway.runner.containers import Container
from slipway.hosts.delta import LIMIT, Delta
from slipway.hosts.facts import Facts, read_facts
from slipway.hosts.inspect import EngineState, read_containers, read_state
from slipway.runner.containers import PROJECT_LABEL
from slipway.hosts.load import Loaded, load, pick_encoding
from slipway.images.archive import archive
from slipway.images.compress import compressed
from slipway.images.transfer import Transfer, whole
from slipway.report import Progress

_ASK_S = 60.0
_REMOVE_S = 300.0
_STALL_S = 60.0
_IN_USE = "conflict: unable to remove"

# $1 docker, $2 project, then networks as Compose's file names them. A network that something is
# attached to can't be removed: containers of ours that no file at hand names any more go first.
_NETWORKS = f"""set -eu
docker=$1 project=$2
shift 2
ours="label={PROJECT_LABEL}=$project"
for name; do
    for id in $("$docker" network ls --quiet --no-trunc --filter "$ours" \\
        --filter "label=com.docker.compose.network=$name"); do
        left=$("$docker" container ls --all --quiet --filter "$ours" --filter "network=$id")
        [ -z "$left" ] || "$docker" container stop $left >/dev/null
        [ -z "$left" ] || "$docker" container rm --force $left >/dev/null
        "$docker" network rm "$id" >/dev/null
    done
done
"""


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

    def containers(
        self, services: Sequence[str] = (), *, pause_s: float = 0.0, patience_s: float = 0.0
    ) -> tuple[Container, ...]:
        """The application's containers; see :meth:`slipway.hosts.engine.Engine.containers`."""
        return read_containers(
            self._host,
            self._project,
            docker=self._docker,
            services=tuple(services),
            pause_s=pause_s,
            patience_s=patience_s,
        )

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
        """The command :meth:`compose` runs."""
        return (self._docker, "compose", "-p", self._project, "-f", file, *arguments)

    def compose(self, file: str, arguments: Sequence[str], *, timeout: float) -> Completed:
        """Run Compose with a release's file, one at a time.

        A command outlives the deploy that started it when that was killed or interrupted. Two
        that change the same containers get into each other's way, so the later one waits, by a
        lock (flock(1) of util-linux or busybox) on the folder of all releases.
        """
        argv = self.compose_argv(file, arguments)
        turn = ("flock", str(PurePosixPath(file).parent.parent))
        done = self._host.run((*turn, *argv), timeout=timeout, check=False)
        if not done.ok:
            raise CommandFailed(argv, done.exit_code, done.error_text, where=self._host.name)
        return done

    def last_lines(self, container: str, count: int) -> tuple[str, ...]:
        """The last lines a container wrote; empty when it is gone."""
        argv = (self._docker, "logs", "--tail", str(count), container)
        done = self._host.run(argv, timeout=_ASK_S, check=False)
        if not done.ok:
            return ()
        lines = [*done.text.splitlines(), *done.error_text.splitlines()]
        return tuple(line.rstrip() for line in lines if line.strip())[-count:]

    def remove_images(self, references: Sequence[str]) -> tuple[str, ...]:
        """Remove tags; those that a container uses stay and are returned."""
        argv = (self._docker, "image", "rm", *references)
        done = self._host.run(argv, timeout=_REMOVE_S, check=False)
        if done.ok:
            return ()
        left = self.state().images.references
        stayed = tuple(reference for reference in references if reference in left)
        if stayed and _IN_USE not in done.error_text:
            raise CommandFailed(argv, done.exit_code, done.error_text, where=self._host.name)
        return stayed

    def remove_networks(self, names: Sequence[str]) -> None:
        """Remove networks of the application; one that is gone already is no error."""
        argv = ("sh", "-c", _NETWORKS, "networks", self._docker, self._project, *names)
        self._host.run(argv, timeout=_REMOVE_S)

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
