"""What the runner acts through: Docker, a folder, time, a listener, a NAS and its datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from slipway.runner.containers import Container
from slipway.runner.login import Login


@dataclass(frozen=True)
class Done:
    """How a program ended.

    Attributes:
        code: its exit code; 124 when its time ran out.
        out: what it wrote to standard output.
        err: what it wrote to standard error.
    """

    code: int
    out: str = ""
    err: str = ""

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.code == 0


class Docker(Protocol):
    """The host's Docker, for one application."""

    def containers(self) -> tuple[Container, ...]:
        """The application's containers, stopped and one-off ones included.

        Raises:
            Failed: Docker doesn't answer.
        """

    def compose(
        self, file: str, arguments: Sequence[str], timeout_s: float, *, output: str = "",
        input: str = "",
    ) -> Done:  # fmt: skip
        """Run Compose with a file, both absolute paths where they are paths.

        Whoever wants the end is heeded meanwhile, but not before what was told to stop has done so.

        Args:
            file: the release's Compose file.
            arguments: Compose's.
            timeout_s: seconds after which it is ended.
            output: a file that takes its standard output, written whole or not at all.
            input: a file that is its standard input.
        """

    def events(self) -> Events:
        """Begin to note when containers start, pass their health checks, are stopped or die."""

    def execute(self, container: str, argv: Sequence[str], timeout_s: float) -> Done:
        """Run a program in a container."""

    def last_lines(self, container: str, count: int) -> tuple[str, ...]:
        """The last lines a container wrote; empty when it is gone."""

    def last_check(self, container: str, count: int) -> tuple[str, ...]:
        """The last lines of its health check that failed last; empty when none did."""

    def stop(self, containers: Sequence[str]) -> Stopping:
        """Begin to stop containers, each within its own grace period."""

    def remove(self, containers: Sequence[str]) -> None:
        """Remove containers, running ones too."""

    def end_once(self) -> int:
        """End and remove one-off containers that a run of steps began; how many there were.

        Such a container is the daemon's: it outlives the client that was ended with a run.

        Raises:
            Failed: one stays.
        """

    def rename(self, container: str, name: str) -> bool:
        """Give a container another name; False when the name is taken."""

    def pull(self, source: str, reference: str, login: Login | None) -> None:
        """Get an image from a registry, and give it a name here; the other one does not stay.

        Whoever wants the end is heeded meanwhile.

        Args:
            source: which, by digest.
            reference: its name here.
            login: to the registry; None leaves it to the host's own configuration of Docker.

        Raises:
            Failed: it can't be had; nothing of it stays but layers that came whole.
        """

    def remove_images(self, references: Sequence[str]) -> int:
        """Remove tags; how many stayed because a container uses them."""

    def remove_networks(self, names: Sequence[str]) -> None:
        """Remove networks, by their names in Compose's file, and what is attached to them.

        Raises:
            Failed: one can't be removed.
        """


class Events(Protocol):
    """What happens to containers from some moment on."""

    def end(self) -> str:
        """Note no more; lines of JSON as Docker prints them."""


class Stopping(Protocol):
    """Containers that are being stopped."""

    def over(self) -> bool:
        """Whether that has come to its end, one way or another."""


class Folder(Protocol):
    """The application's folder; paths are relative to it unless they are absolute."""

    @property
    def path(self) -> str:
        """Where it lies, absolute."""

    def current(self) -> str | None:
        """The id of the live release."""

    def link(self, path: str, target: str) -> None:
        """Put a symbolic link in the place of the one before; an empty target takes it away."""

    def write(self, path: str, text: str) -> None:
        """Put a file in the place of the one before, whole; an empty text takes it away."""

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""

    def append(self, path: str, line: str) -> None:
        """A line at the end of a file."""

    def mark(self, path: str) -> None:
        """Have an empty file there, in a folder that is made."""

    def hand(self, folder: str, files: Mapping[str, str]) -> None:
        """Let a folder hold copies of files, by their names in it, and nothing else."""

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files and folders, and the folder each lay in when it is empty."""


class Nas(Protocol):
    """The middleware of a TrueNAS."""

    def call(self, method: str, *args: object) -> Any:
        """Call a method.

        Raises:
            NasError: it failed, or there is no middleware here.
        """

    def heard(self, source: str, count: int, seconds: float) -> Sequence[Mapping[str, Any]]:
        """What is told by a source of events, as far as it comes within a time.

        Args:
            source: its name, and after a colon its arguments as JSON.
            count: how many are enough.
            seconds: the longest that is waited.

        Returns:
            The fields of each.

        Raises:
            NasError: there is no such source, or no middleware here.
        """

    def run(self, method: str, *args: object) -> Any:
        """Call a method that starts a job, and wait for its end.

        Raises:
            NasError: it failed, or there is no middleware here.
        """


class Datasets(Protocol):
    """Datasets of ZFS and their snapshots."""

    def take(self, by: str, dataset: str, name: str) -> None:
        """Take a snapshot, of all that is below the dataset, too, at one moment.

        Args:
            by: one of :data:`slipway.runner.datasets.WAYS`.
            dataset: its name.
            name: of the snapshot.

        Raises:
            Failed: there is none that was taken now.
        """

    def destroy(self, by: str, dataset: str, name: str) -> str:
        """Destroy one, and those of its name below; why it stays, empty when it is gone."""

    def revert(self, by: str, dataset: str, name: str) -> None:
        """Have TrueNAS make datasets what they were at a snapshot, which is their newest one.

        Args:
            by: one of :data:`slipway.runner.datasets.WAYS`, of TrueNAS.
            dataset: the uppermost one.
            name: of the snapshot.

        Raises:
            Failed: it does not; a newer snapshot, which may be somebody's, is not destroyed.
        """

    def put_back(
        self, paths: Sequence[str], name: str, heed: Callable[[], None], *, room: bool
    ) -> None:
        """Make the files of datasets what they were; no snapshot is destroyed.

        Args:
            paths: where they are mounted, the uppermost first.
            name: of the snapshot.
            heed: called now and then; what it raises ends it.
            room: whether to see first that there is room for all that is copied.

        Raises:
            Failed: it can't be done, or not all of it was.
        """


class Clock(Protocol):
    """Time."""

    def now(self) -> float:
        """Seconds since 1970."""

    def monotonic(self) -> float:
        """Seconds that only grow."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Listener(Protocol):
    """Whoever started this, as long as they are there."""

    def tell(self, event: str, **fields: object) -> None:
        """Note something that happened; it is kept whether anybody listens or not."""

    def heed(self) -> None:
        """Look whether they want it to end.

        Raises:
            Failed: they do; its kind is ``interrupted``.
        """

    def ignore(self) -> None:
        """Heed no more: going back is what they want, and that is on its way."""

    def turn(
        self, step: str, index: int, seconds: float, look: Callable[[], None] | None = None
    ) -> bool:
        """Let them carry out an action that takes their machine, and wait for the end of it.

        Args:
            step: the step's name.
            index: the action's place in it.
            seconds: the longest it may take.
            look: called now and then meanwhile; what it raises ends the waiting.

        Returns:
            False when nobody was there to do it.

        Raises:
            Failed: they did it and it failed.
        """


@dataclass(frozen=True)
class Doors:
    """All of them."""

    docker: Docker
    folder: Folder
    clock: Clock
    listener: Listener
    nas: Nas
    datasets: Datasets
