"""This machine as a host, by the same door as one over SSH."""

from __future__ import annotations

import contextlib
import getpass
import math
import os
import selectors
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import IO

from slipway.doors import Completed
from slipway.errors import CommandFailed, HostUnreachable
from slipway.hosts import command, frame
from slipway.hosts.login import Login
from slipway.hosts.unreachable import no_sudo

_FILE_TIMEOUT_S = 120.0
_DRAIN_S = 5.0
_FINISH_TIMEOUT_S = 1800.0
_SLICE_S = 0.25
_READ_BYTES = 1 << 16


class LocalHost:
    """The :class:`slipway.doors.Host` that is this machine.

    Args:
        name: its name for messages.
        sudo: run commands as root through ``sudo -n``.
    """

    def __init__(self, name: str = "local", *, sudo: bool = False) -> None:
        self._name = name
        self._sudo = sudo
        self._is_root = not sudo

    @property
    def name(self) -> str:
        """The name it has in ``deploy/hosts.toml``."""
        return self._name

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,
        check: bool = True,
    ) -> Completed:
        """Run a command to its end; see :meth:`slipway.doors.Host.run`."""
        started = time.monotonic()
        try:
            done = subprocess.run(
                self._line(argv, timeout),
                input=input or b"",
                capture_output=True,
                timeout=command.client_limit(timeout),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(argv, None, "", where=self._name) from error
        completed = self._begun(
            Completed(tuple(argv), _code(done.returncode), done.stdout, done.stderr)
        )
        if command.ran_out(completed.exit_code, time.monotonic() - started, timeout):
            raise CommandFailed(argv, None, completed.error_text, where=self._name)
        return command.checked(completed, where=self._name) if check else completed

    def launch(self, argv: Sequence[str], *, timeout: float, input: bytes) -> Completed:
        """Run a command that leaves a process behind; see :meth:`slipway.doors.Host.launch`."""
        if not self._sudo:
            return self.run(argv, timeout=timeout, input=input, check=False)
        mark, out, err = frame.new_mark(), bytearray(), bytearray()
        inner = command.wrapped(argv, sudo=False, timeout=timeout)
        line = frame.left_running(inner, mark, root=(*command.C_LOCALE, *command.SUDO))
        done = subprocess.run(
            ["sh", "-c", line],
            input=input,
            capture_output=True,
            timeout=command.client_limit(timeout),
            check=False,
        )
        seen = frame.Unframed(mark, out.extend)
        for taken, piece in ((seen, done.stdout), (frame.Unframed(mark, err.extend), done.stderr)):
            taken.feed(piece)
            taken.close()
        if seen.code is None:
            return self._begun(Completed(tuple(argv), done.returncode or 1, b"", done.stderr))
        return Completed(tuple(argv), seen.code, bytes(out), bytes(err))

    def stream(
        self,
        argv: Sequence[str],
        chunks: Iterable[bytes],
        *,
        stall_timeout: float,
        finish_timeout: float = _FINISH_TIMEOUT_S,
    ) -> Completed:
        """Feed a command; see :meth:`slipway.doors.Host.stream` and ``SshHost.stream``."""
        out = bytearray()
        done = self._fed(argv, chunks, stall_timeout, finish_timeout, out.extend)
        return Completed(done.argv, done.exit_code, bytes(out), done.stderr)

    def pipe(
        self, argv: Sequence[str], chunks: Iterable[bytes], use: Callable[[bytes], object]
    ) -> Completed:
        """Run a command with streams both ways; see :meth:`slipway.doors.Host.pipe`."""
        return self._fed(argv, chunks, math.inf, None, use)

    def interact(self, argv: Sequence[str]) -> int:
        """Run a command with this process's terminal; returns its exit code."""
        return _code(subprocess.run(self._line(argv, None), check=False).returncode)

    def put(self, path: str, data: bytes, *, mode: int, owner: int | None = None) -> None:
        """Write a file whole or not at all; see :meth:`slipway.doors.Host.put`."""
        argv = command.put_argv(path, len(data), mode=mode, owner=owner)
        done = self.run(argv, timeout=_FILE_TIMEOUT_S, input=data, check=False)
        command.check_put(done, path, where=self._name)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, or None when it does not exist."""
        done = self.run(command.read_argv(path), timeout=_FILE_TIMEOUT_S, check=False)
        return command.read_result(done, path, where=self._name)

    def close(self) -> None:
        """There is no connection to end."""

    def _fed(
        self,
        argv: Sequence[str],
        chunks: Iterable[bytes],
        stall_timeout: float,
        finish_timeout: float | None,
        use: Callable[[bytes], object],
    ) -> Completed:
        """Feed a command, its output used as it comes."""
        with tempfile.TemporaryFile() as err:
            process = subprocess.Popen(
                self._line(argv, None),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=err,
                start_new_session=True,
            )
            if process.stdout is None:
                raise AssertionError("unreachable: it is a pipe")
            reader = threading.Thread(target=_drain, args=(process.stdout, use), daemon=True)
            reader.start()
            try:
                _feed(process, chunks, stall_timeout, self._name)
                process.wait(finish_timeout)
                reader.join(finish_timeout)
            except subprocess.TimeoutExpired as error:
                raise _gave_up(self._name, f"did not end within {finish_timeout:.0f} s") from error
            finally:
                _end(process)
                reader.join(_DRAIN_S)
            err.seek(0)
            return self._begun(Completed(tuple(argv), _code(process.returncode), b"", err.read()))

    def _begun(self, completed: Completed) -> Completed:
        """The same; the first one that fails is asked whether sudo let it begin at all.

        Raises:
            HostUnreachable: it did not.
        """
        if not self._is_root and not completed.ok:
            asked = subprocess.run(
                [*command.C_LOCALE, *command.SUDO, "true"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_FILE_TIMEOUT_S,
                check=False,
            )
            if asked.returncode != 0:
                user = Login(self._name, "this machine", user=getpass.getuser())
                raise no_sudo(user, asked.stderr.decode("utf-8", "replace"))
        self._is_root = True
        return completed

    def _line(self, argv: Sequence[str], timeout: float | None) -> list[str]:
        return list(command.wrapped(command.sound(argv), sudo=self._sudo, timeout=timeout))


def _feed(
    process: subprocess.Popen[bytes], chunks: Iterable[bytes], stall_timeout: float, name: str
) -> None:
    """Write all chunks and close; return early when the command stopped reading, or ended."""
    stdin = process.stdin
    if stdin is None:
        raise AssertionError("unreachable: it is a pipe")
    os.set_blocking(stdin.fileno(), False)
    with selectors.DefaultSelector() as selector, contextlib.suppress(BrokenPipeError):
        selector.register(stdin, selectors.EVENT_WRITE)
        for chunk in chunks:
            if not chunk and process.poll() is not None:
                break
            rest = memoryview(chunk)
            moved = time.monotonic()
            while rest:
                if selector.select(_SLICE_S):
                    rest = rest[os.write(stdin.fileno(), rest) :]
                    moved = time.monotonic()
                elif time.monotonic() - moved >= stall_timeout:
                    raise _gave_up(name, f"took no byte for {stall_timeout:.0f} s")
    stdin.close()


def _drain(source: IO[bytes], use: Callable[[bytes], object]) -> None:
    """Read to the end, and close: whoever else closed it might close another file's number."""
    with source:
        while piece := os.read(source.fileno(), _READ_BYTES):
            use(piece)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it with its children if it still runs, and close its standard input."""
    if process.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, 9)
        process.wait(_FILE_TIMEOUT_S)
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _gave_up(name: str, why: str) -> HostUnreachable:
    return HostUnreachable(
        f"a command on {name} {why} and was stopped",
        hint="look at the load and the disks of this machine, then run the same command again",
        stage="connect",
    )


def _code(returncode: int) -> int:
    """As a shell has it: 128 and the signal's number when a signal ended it."""
    return 128 - returncode if returncode < 0 else returncode
