"""SSH channels for commands, on a server that may allow only one at a time (``MaxSessions 1``).

Commands of several threads then wait for each other, and each waits for the server to have cleared
away the one before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import paramiko

_CLEARING_S = 1.0
_PAUSE_S = 0.02
_Result = TypeVar("_Result")


class Sessions:
    """The channels of one connection."""

    def __init__(self) -> None:
        self._holders: list[int] = []
        self._ended = threading.Condition()

    @contextmanager
    def hold(self, start: Callable[[], _Result]) -> Iterator[_Result]:
        """Start something that takes a channel, as soon as the server allows one.

        The block is where it is used; at its end the channel has to be closed.

        Raises:
            paramiko.ChannelException: the server refuses, though nobody else of us has one.
        """
        got = self._start(start)
        me = threading.get_ident()
        with self._ended:
            self._holders.append(me)
        try:
            yield got
        finally:
            with self._ended:
                self._holders.remove(me)
                self._ended.notify_all()

    def _start(self, start: Callable[[], _Result]) -> _Result:
        patience = time.monotonic() + _CLEARING_S
        while True:
            try:
                return start()
            except paramiko.ChannelException:
                if self._others_ended():
                    patience = time.monotonic() + _CLEARING_S
                elif self._holders or time.monotonic() >= patience:
                    raise
                time.sleep(_PAUSE_S)

    def _others_ended(self) -> bool:
        """Wait while other threads have a channel; whether there was one."""
        me = threading.get_ident()
        with self._ended:
            others = any(holder != me for holder in self._holders)
            if others and me not in self._holders:
                self._ended.wait(_CLEARING_S)
            return others and me not in self._holders
