"""A host over SSH.

Fabric makes the connection (see :mod:`slipway.hosts.connect`). Commands run on plain channels of
it, because Invoke's runners decode what passes through them.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence

import paramiko
from fabric import Connection

from slipway.doors import Completed
from slipway.errors import CommandFailed
from slipway.hosts import command
from slipway.hosts.connect import Login, connect, shut
from slipway.hosts.exchange import Exchange, Stalled, Watchdog
from slipway.hosts.terminal import piped_input, write_out
from slipway.hosts.unreachable import lost, no_channel, no_sudo

_FILE_TIMEOUT_S = 120.0
_OPEN_TIMEOUT_S = 20.0
_DYING_S = 0.5
_BY_SIGNAL = 255
# Engines unpack layers after the last byte; on the disks of a NAS that takes minutes.
_FINISH_TIMEOUT_S = 1800.0


class SshHost:
    """The :class:`slipway.doors.Host` at the other end of an SSH connection.

    It connects when it is first used, and again when the connection was lost before a command
    was started; a command that had started is never run twice.

    Args:
        login: where to connect and as whom.
        sudo: run commands as root through ``sudo -n``.
    """

    def __init__(self, login: Login, *, sudo: bool = False) -> None:
        self._login = login
        self._target = login.target
        self._sudo = sudo
        self._connection: Connection | None = None
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """The name it has in ``deploy/hosts.toml``."""
        return self._login.name

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,
        check: bool = True,
    ) -> Completed:
        """Run a command there to its end; see :meth:`slipway.doors.Host.run`."""
        limit = command.client_limit(timeout)
        started = time.monotonic()
        try:
            completed = self._exchange(
                argv, [input or b""], remote=timeout, stall=limit, finish=limit
            )
        except Stalled as error:
            raise CommandFailed(argv, None, "", where=self.name) from error
        if command.ran_out(completed.exit_code, time.monotonic() - started, timeout):
            raise CommandFailed(argv, None, completed.error_text, where=self.name)
        return command.checked(completed, where=self.name) if check else completed

    def stream(
        self,
        argv: Sequence[str],
        chunks: Iterable[bytes],
        *,
        stall_timeout: float,
        finish_timeout: float = _FINISH_TIMEOUT_S,
    ) -> Completed:
        """Feed a command there; see :meth:`slipway.doors.Host.stream`.

        A command that ends before it has read everything is no error here: its exit code and
        what it wrote are the answer.

        Args:
            argv: the command.
            chunks: its standard input.
            stall_timeout: seconds without a byte taken after which it is given up.
            finish_timeout: seconds it may take after the last byte.
        """
        try:
            return self._exchange(
                argv, chunks, remote=None, stall=stall_timeout, finish=finish_timeout
            )
        except Stalled as error:
            self.close()
            raise lost(self.name, str(error)) from error

    def interact(self, argv: Sequence[str]) -> int:
        """Run a command there with this process's terminal; returns its exit code.

        Where standard input is no terminal, bytes pass unchanged both ways.
        """
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            done = self._exchange(
                argv, piped_input(), remote=None, stall=None, finish=None,
                on_stdout=write_out(sys.stdout), on_stderr=write_out(sys.stderr),
            )  # fmt: skip
            return done.exit_code
        self._ready()
        connection = self._connection
        if connection is None:
            raise lost(self.name)
        line = command.line(command.wrapped(argv, sudo=self._sudo, timeout=None))
        try:
            result = connection.run(line, pty=True, warn=True, hide=False, echo=False)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise lost(self.name) from error
        return int(result.exited)

    def put(self, path: str, data: bytes, *, mode: int, owner: int | None = None) -> None:
        """Write a file there whole or not at all; see :meth:`slipway.doors.Host.put`."""
        argv = command.put_argv(path, len(data), mode=mode, owner=owner)
        done = self.run(argv, timeout=_FILE_TIMEOUT_S, input=data, check=False)
        command.check_put(done, path, where=self.name)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file there, or None when it does not exist."""
        done = self.run(command.read_argv(path), timeout=_FILE_TIMEOUT_S, check=False)
        return command.read_result(done, path, where=self.name)

    def close(self) -> None:
        """End the connection; using the host again opens a new one."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            shut(connection)

    def _exchange(
        self,
        argv: Sequence[str],
        chunks: Iterable[bytes],
        *,
        remote: float | None,
        stall: float | None,
        finish: float | None,
        on_stdout: Callable[[bytes], object] | None = None,
        on_stderr: Callable[[bytes], object] | None = None,
    ) -> Completed:
        out, err = bytearray(), bytearray()
        line = command.line(command.wrapped(argv, sudo=self._sudo, timeout=remote))
        channel = self._channel()
        use = (on_stdout or out.extend, on_stderr or err.extend)
        code = self._pump(channel, line, chunks, use=use, stall=stall, finish=finish)
        return Completed(tuple(argv), code, bytes(out), bytes(err))

    def _pump(
        self,
        channel: paramiko.Channel,
        line: str,
        chunks: Iterable[bytes],
        *,
        use: tuple[Callable[[bytes], object], Callable[[bytes], object]],
        stall: float | None,
        finish: float | None,
    ) -> int:
        """Run ``line`` on the channel and close it.

        Returns:
            The exit code; 255, as ssh has it, when a signal ended the command.
        """
        transport = channel.get_transport()
        try:
            with Watchdog(transport.close) as watchdog, channel:
                watchdog.arm(_OPEN_TIMEOUT_S)
                channel.exec_command(line)
                watchdog.disarm()
                exchange = Exchange(channel, watchdog, on_stdout=use[0], on_stderr=use[1])
                exchange.feed(chunks, stall_timeout=math.inf if stall is None else stall)
                code = exchange.wait(finish)
        except (EOFError, paramiko.SSHException) as error:
            raise lost(self.name) from error
        if code is not None:
            return code
        transport.join(_DYING_S)
        if transport.is_active():
            return _BY_SIGNAL
        raise lost(self.name)

    def _channel(self) -> paramiko.Channel:
        """A channel for one command; a connection found dead is opened anew, once."""
        for last in (False, True):
            transport = self._ready()
            try:
                return transport.open_session(timeout=_OPEN_TIMEOUT_S)
            except paramiko.ChannelException as error:
                raise no_channel(error, self._target) from error
            except (EOFError, OSError, paramiko.SSHException) as error:
                self.close()
                if last:
                    raise lost(self.name) from error
        raise AssertionError("unreachable: the second try returns or raises")

    def _ready(self) -> paramiko.Transport:
        with self._lock:
            live = self._connection.transport if self._connection is not None else None
            if isinstance(live, paramiko.Transport) and live.is_active():
                return live
            self._connection, self._target = connect(self._login)
            transport: paramiko.Transport = self._connection.transport
            if self._sudo:
                self._check_sudo(transport)
            return transport

    def _check_sudo(self, transport: paramiko.Transport) -> None:
        try:
            channel = transport.open_session(timeout=_OPEN_TIMEOUT_S)
            code = self._pump(
                channel, "sudo -n -- true", (), use=(len, len), stall=None, finish=_OPEN_TIMEOUT_S
            )
        except (EOFError, OSError, Stalled, paramiko.SSHException) as error:
            self.close()
            raise lost(self.name) from error
        if code != 0:
            self.close()
            raise no_sudo(self._target)
