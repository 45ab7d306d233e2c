"""The narrow doors to the outside: the only way slipway touches anything that isn't a value.

Everything that decides takes values; everything that acts takes one of these. The real ones are
:mod:`slipway.shell` (programs on this machine), :mod:`slipway.hosts` (the target host),
:mod:`slipway.web` (HTTP probes) and :class:`SystemClock`; :mod:`slipway.testing` ships fakes that
fit the same doors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended.

    Attributes:
        argv: the command, one string an argument.
        exit_code: 0 when it succeeded.
        stdout: what it wrote to standard output.
        stderr: what it wrote to standard error.
    """

    argv: tuple[str, ...]
    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def ok(self) -> bool:
        """Whether the command succeeded."""
        return self.exit_code == 0

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def error_text(self) -> str:
        """Standard error as text."""
        return self.stderr.decode("utf-8", "replace")


class Shell(Protocol):
    """Programs on this machine."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        check: bool = True,
        watch: Callable[[str], None] | None = None,
    ) -> Completed:
        """Run a program to its end.

        Args:
            argv: program and arguments; no shell reads them.
            timeout: seconds until it is stopped.
            input: bytes for its standard input; None gives it an empty one.
            env: variables to set besides the inherited ones.
            cwd: the folder to run in.
            check: raise when it ends with a code other than 0.
            watch: is given each line of standard error as it comes, to show progress.

        Raises:
            CommandFailed: it failed (with ``check``), ran out of time, or does not exist.
        """


class Host(Protocol):
    """One machine that runs containers: this one, or one over SSH."""

    @property
    def name(self) -> str:
        """The name it has in ``deploy/hosts.toml``."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,
        check: bool = True,
    ) -> Completed:
        """Run a command there to its end; as root when the host is set to ``sudo``.

        Raises:
            HostUnreachable: the connection is gone.
            CommandFailed: it failed (with ``check``) or ran out of time.
        """

    def launch(self, argv: Sequence[str], *, timeout: float, input: bytes) -> Completed:
        """Run a command there that leaves a process behind; see :meth:`run`, without ``check``.

        What makes it run as root is there until that process ends, too.

        Raises:
            HostUnreachable: the connection is gone.
            CommandFailed: it ran out of time.
        """

    def stream(
        self, argv: Sequence[str], chunks: Iterable[bytes], *, stall_timeout: float
    ) -> Completed:
        """Run a command there and feed its standard input chunk by chunk, with back pressure.

        Args:
            chunks: the bytes; read only as fast as the host takes them.
            stall_timeout: seconds without a byte taken after which it is given up.

        Raises:
            HostUnreachable: the connection broke, or no byte moved for ``stall_timeout``.
        """

    def pipe(
        self, argv: Sequence[str], chunks: Iterable[bytes], use: Callable[[bytes], object]
    ) -> Completed:
        """Run a command there for as long as it likes, with its input and output as they come.

        Args:
            chunks: its standard input; one that is empty is asked for again only while it runs.
            use: takes its standard output piece by piece, on another thread; ``stdout`` of the
                answer is empty.

        Raises:
            HostUnreachable: the connection is gone.
        """

    def interact(self, argv: Sequence[str]) -> int:
        """Run a command there with this process's terminal; returns its exit code."""

    def put(self, path: str, data: bytes, *, mode: int, owner: int | None = None) -> None:
        """Write a file there whole or not at all (temporary name, then rename), making folders.

        Args:
            path: absolute path on the host.
            data: the content; it is sent on standard input, never in a command line.
            mode: permission bits, such as ``0o600``.
            owner: user and group id to give it to; None leaves the login user's.
        """

    def read(self, path: str) -> bytes | None:
        """The bytes of a file there, or None when it does not exist."""

    def close(self) -> None:
        """End the connection; using the host again opens a new one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: the status code; 0 when there was no answer, with the reason in ``body``.
        body: the content.
    """

    status: int
    body: bytes


class Http(Protocol):
    """HTTP requests to a deployed stack."""

    def get(self, url: str, *, timeout: float) -> Answer:
        """GET a URL; an unreachable server is an answer with status 0, not an exception."""

    def certificate(self, url: str, *, timeout: float) -> bytes:
        """The certificate that a server shows, DER, whoever vouches for it; empty for none."""

    def trusting(self, roots: str) -> Http:
        """The same, believing those as well for whom these certificates (PEM) vouch.

        Raises:
            ValueError: these are no certificates.
        """

    def proxy(self) -> str:
        """The HTTP proxy, with its password, by which the stack answered; empty for none."""

    def close(self) -> None:
        """End the connections kept open."""


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only grow."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        time.sleep(seconds)
