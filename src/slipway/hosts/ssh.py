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
from fabric import Connection, Result

from slipway.doors import Completed, Shell
from slipway.errors import CommandFailed
from slipway.hosts import command, frame
from slipway.hosts.channels import Channels, refused, start
from slipway.hosts.connect import Way, connect
from slipway.hosts.exchange import Exchange, NotBegun, Stalled, Watchdog
from slipway.hosts.login import Login
from slipway.hosts.sessions import Sessions
from slipway.hosts.terminal import piped_input, write_out
from slipway.hosts.unreachable import lost, no_channel, no_shell, no_sudo
from slipway.shell import LocalShell

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
        shell: this machine, where OpenSSH's programs tell how to connect.
        warn: told what of OpenSSH's configuration could not be taken into account.
    """

    def __init__(
        self,
        login: Login,
        *,
        sudo: bool = False,
        shell: Shell | None = None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._login = login
        self._target = login
        self._sudo = sudo
        self._shell: Shell = shell or LocalShell()
        self._warn = warn
        self._way: Way | None = None
        self._lock = threading.RLock()
        self._sessions = Sessions()
        self._channels = Channels()

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
        try:
            completed, seconds = self._exchange(
                argv, [input or b""], remote=timeout, stall=limit, finish=limit
            )
        except Stalled as error:
            raise CommandFailed(argv, None, "", where=self.name) from error
        if command.ran_out(completed.exit_code, seconds, timeout):
            raise CommandFailed(argv, None, completed.error_text, where=self.name)
        return command.checked(completed, where=self.name) if check else completed

    def launch(self, argv: Sequence[str], *, timeout: float, input: bytes) -> Completed:
        """Run a command there that leaves a process behind; see :meth:`slipway.doors.Host.launch`.

        Without sudo that needs nothing: nobody there waits for it.
        """
        limit = command.client_limit(timeout)
        try:
            done, _ = self._exchange(
                argv, [input], remote=timeout, stall=limit, finish=limit, leaves=True
            )
        except Stalled as error:
            raise CommandFailed(argv, None, "", where=self.name) from error
        return done

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
            completed, _ = self._exchange(
                argv, chunks, remote=None, stall=stall_timeout, finish=finish_timeout
            )
            return completed
        except Stalled as error:
            self.close()
            raise lost(self.name, str(error)) from error

    def pipe(
        self, argv: Sequence[str], chunks: Iterable[bytes], use: Callable[[bytes], object]
    ) -> Completed:
        """Run a command there with streams both ways; see :meth:`slipway.doors.Host.pipe`."""
        done, _ = self._exchange(argv, chunks, remote=None, stall=None, finish=None, on_stdout=use)
        return done

    def interact(self, argv: Sequence[str]) -> int:
        """Run a command there with this process's terminal; returns its exit code.

        Where standard input is no terminal, bytes pass unchanged both ways.
        """
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            done, _ = self._exchange(
                argv, piped_input(), remote=None, stall=None, finish=None,
                on_stdout=write_out(sys.stdout), on_stderr=write_out(sys.stderr),
            )  # fmt: skip
            return done.exit_code
        line = frame.line(command.wrapped(argv, sudo=self._sudo, timeout=None))

        def start() -> Result:
            connection = self._open()
            return connection.run(line, pty=True, warn=True, hide=False, echo=False)

        try:
            with self._sessions.hold(start) as result:
                return int(result.exited)
        except paramiko.ChannelException as error:
            raise no_channel(error, self._target) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise lost(self.name) from error

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
            way, self._way = self._way, None
        if way is not None:
            way.close()
        self._channels.drop()

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
        leaves: bool = False,
    ) -> tuple[Completed, float]:
        """Run a command between marks; what its login shell says around it is left out.

        Returns:
            How it ended, and the seconds it took. Its code is 255, as ssh has it, when a signal
            ended the shell around it.

        Raises:
            Stalled: it took no input or did not end in time.
            HostUnreachable: the connection broke, or the command did not even begin.
        """
        out, err = bytearray(), bytearray()
        use = (on_stdout or out.extend, on_stderr or err.extend)
        mark = frame.new_mark()
        inner = command.wrapped(argv, sudo=False, timeout=remote)
        root = (*command.C_LOCALE, *command.SUDO) if self._sudo else ()
        shape = frame.left_running if leaves and root else frame.framed
        line = shape(inner, mark, root=root)
        try:
            with self._sessions.hold(self._channel) as channel:
                transport = channel.get_transport()
                with Watchdog(transport.close) as watchdog, channel:
                    watchdog.arm(_OPEN_TIMEOUT_S)
                    start(channel, line)
                    watchdog.disarm()
                    self._channels.open_ahead(transport)
                    exchange = Exchange(
                        channel, watchdog, mark, on_stdout=use[0], on_stderr=use[1],
                        live=on_stdout is not None,
                    )  # fmt: skip
                    exchange.feed(chunks, stall_timeout=math.inf if stall is None else stall)
                    code = exchange.wait(finish)
                    if code is None and refused(channel):
                        raise lost(self.name)
                    code = self._judged(exchange, code, transport)
                    self._channels.heard()
        except paramiko.ChannelException as error:
            raise no_channel(error, self._target) from error
        except NotBegun as error:
            self.close()
            raise no_shell(self._target, str(error)) from error
        except (EOFError, paramiko.SSHException) as error:
            raise lost(self.name) from error
        seconds = time.monotonic() - (exchange.began or 0)
        return Completed(tuple(argv), code, bytes(out), bytes(err)), seconds

    def _judged(self, exchange: Exchange, code: int | None, transport: paramiko.Transport) -> int:
        """The command's exit code.

        Raises:
            HostUnreachable: the connection broke, or the command did not begin.
        """
        if code is None:
            transport.join(_DYING_S)
            if not transport.is_active():
                raise lost(self.name)
        if exchange.out.begun:
            return _BY_SIGNAL if code is None else code
        words = (exchange.err.noise + exchange.out.noise).decode("utf-8", "replace")
        raise (no_sudo if exchange.out.asked else no_shell)(self._target, words)

    def _channel(self) -> paramiko.Channel:
        """A channel for one command; a connection found dead is opened anew, once."""
        for last in (False, True):
            transport = self._ready()
            try:
                return self._channels.open(transport)
            except paramiko.ChannelException:
                raise
            except (EOFError, OSError, paramiko.SSHException) as error:
                self.close()
                if last:
                    raise lost(self.name) from error
        raise AssertionError("unreachable: the second try returns or raises")

    def _ready(self) -> paramiko.Transport:
        transport: paramiko.Transport = self._open().transport
        return transport

    def _open(self) -> Connection:
        """The connection, opened unless it is there; nothing is asked on it."""
        with self._lock:
            if self._way is not None:
                live = self._way.connection.transport
                if isinstance(live, paramiko.Transport) and live.is_active():
                    return self._way.connection
                self.close()
            self._way = connect(self._login, self._shell, self._warn)
            self._target = self._way.login
            return self._way.connection
