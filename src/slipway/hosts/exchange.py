"""One command on an SSH channel: bytes in, bytes out, and never a wait without an end.

Paramiko's waits have gaps: a write to a dead network blocks without a limit. A :class:`Watchdog` on
a thread of its own cuts the connection then.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType

import paramiko

from slipway.hosts.frame import Unframed

_SLICE_S = 0.25
_POLL_S = 0.02
_READ_BYTES = 1 << 16
_SEND_BYTES = 1 << 15
_GRACE_S = 5.0
# A login shell that asks the network who somebody is takes its time.
_SHELL_S = 60.0


class Stalled(Exception):
    """No byte was taken for too long, or the end did not come; the text says which."""


class NotBegun(Stalled):
    """The login shell did not start the command in time."""


class Watchdog:
    """Cuts a connection when a call that was being watched takes too long.

    Args:
        cut: what ends the connection; called at most once, on another thread.
    """

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        self._deadline: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="slipway-watchdog", daemon=True)

    def arm(self, seconds: float) -> None:
        """Watch from now on: cut in ``seconds`` unless armed again or disarmed before."""
        self._deadline = time.monotonic() + seconds

    def disarm(self) -> None:
        """Watch no longer."""
        self._deadline = None

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_SLICE_S):
            deadline = self._deadline
            if deadline is not None and time.monotonic() >= deadline:
                self._cut()
                return


class Exchange:
    """The input and output of one framed command.

    Its times count from when the command began, not while the login shell was still at work.

    Args:
        channel: an open channel on which the line of :func:`slipway.hosts.frame.framed` has been
            started.
        watchdog: armed while a write may block.
        mark: that line's mark.
        on_stdout: takes the command's standard output, piece by piece, on another thread.
        on_stderr: the same for standard error.
        live: whether somebody may wait for the last bytes before more comes.

    Attributes:
        out: how its standard output came along.
        err: the same for standard error.
        began: when the command began, by :func:`time.monotonic`; None before.
    """

    def __init__(
        self,
        channel: paramiko.Channel,
        watchdog: Watchdog,
        mark: str,
        *,
        on_stdout: Callable[[bytes], object],
        on_stderr: Callable[[bytes], object],
        live: bool = False,
    ) -> None:
        self._channel, self._live = channel, live
        self._watchdog = watchdog
        self._failure: BaseException | None = None
        self._busy: set[int] = set()  # outputs of which a piece is being used
        self._opened = self._heard = time.monotonic()
        self.began: float | None = None
        self.out = Unframed(mark, on_stdout, self._begin)
        self.err = Unframed(mark, on_stderr)
        channel.settimeout(_SLICE_S)
        self._readers = [
            threading.Thread(target=self._drain, args=(take, use), daemon=True)
            for take, use in ((channel.recv, self.out), (channel.recv_stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def feed(self, chunks: Iterable[bytes], *, stall_timeout: float) -> bool:
        """Send the chunks as fast as they are taken, then the end of the input.

        Returns:
            Whether all was sent; False when the command ended before it had read everything.

        Raises:
            Stalled: no byte was taken for ``stall_timeout`` seconds.
        """
        for chunk in chunks:
            if not self._send(memoryview(chunk), stall_timeout):
                return False
        if not self._ended():
            try:
                self._channel.shutdown_write()
            except (OSError, EOFError):
                return False
        return True

    def wait(self, limit: float | None) -> int | None:
        """The exit code, once the command ended and its output is read.

        Args:
            limit: seconds to wait at most; None for no limit.

        Returns:
            The command's code, or the login shell's when the command did not begin; None when
            the connection ended before, or a signal ended the login shell.

        Raises:
            Stalled: it is still running after ``limit``.
            NotBegun: the login shell did not start it in time.
        """
        while not self._channel.status_event.wait(_SLICE_S):
            self._check_begun()
            if limit is not None and time.monotonic() >= (self.began or math.inf) + limit:
                raise Stalled(f"the command did not end within {limit:.0f} s")
        self._join(limit)
        if self._failure is not None:
            raise self._failure
        if self.out.code is not None:
            return self.out.code
        code = self._channel.exit_status
        return None if code < 0 else code

    def _join(self, limit: float | None) -> None:
        """Wait for the output's end, but not for a silent child left behind that holds it open."""
        self._heard = time.monotonic()
        deadline = None if limit is None else self._heard + limit
        for reader, output in zip(self._readers, (self.out, self.err), strict=True):
            while reader.is_alive() and output.code is None:
                now = time.monotonic()
                silent = not self._busy and now >= self._heard + _GRACE_S
                if silent or (deadline is not None and now >= deadline):
                    return
                reader.join(_POLL_S)

    def _begin(self) -> None:
        self.began = time.monotonic()

    def _check_begun(self) -> None:
        if self.began is None and time.monotonic() >= self._opened + _SHELL_S:
            raise NotBegun(f"it did not start the command within {_SHELL_S:.0f} s")

    def _send(self, rest: memoryview, stall_timeout: float) -> bool:
        moved = time.monotonic()
        self._watch_send(stall_timeout)
        while rest and not self._ended():
            try:
                sent = self._channel.send(bytes(rest[:_SEND_BYTES]))
            except TimeoutError:
                sent = 0
            except (OSError, EOFError):
                return False
            if sent:
                rest = rest[sent:]
                moved = time.monotonic()
                self._watch_send(stall_timeout)
            elif self.began is None:
                self._check_begun()
                moved = time.monotonic()
            elif time.monotonic() - moved >= stall_timeout:
                raise Stalled(f"it took no byte for {stall_timeout:.0f} s")
        self._watchdog.disarm()
        return not self._ended()

    def _watch_send(self, stall_timeout: float) -> None:
        waiting = 0.0 if self.began is not None else _SHELL_S
        self._watchdog.arm(stall_timeout + waiting + _GRACE_S)

    def _ended(self) -> bool:
        return self._channel.closed or self._channel.status_event.is_set()

    def _drain(self, take: Callable[[int], bytes], output: Unframed) -> None:
        while True:
            piece: bytes | None
            try:
                piece = take(_READ_BYTES)
            except TimeoutError:
                piece = None
            if piece is None and not (self._live and output.holds):
                continue
            self._busy.add(id(output))
            try:
                if piece is None:
                    output.quiet()
                    continue
                if not piece:
                    output.close()
                    return
                output.feed(piece)
            except Exception as error:
                self._failure = error
                self._channel.close()
                return
            finally:
                self._heard = time.monotonic()
                self._busy.discard(id(output))
