"""SSH channels for commands, on a server that may allow only one at a time (``MaxSessions 1``).

Commands of several threads then wait for each other, and each waits for the server to have cleared
away the one before.
"""

from __future__ import annotations

import math
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
    """The channels of one connection, as many at a time as the server allows."""

    def __init__(self) -> None:
        self._holders: list[int] = []
        self._most = math.inf
        self._ended = threading.Condition()

    @contextmanager
    def hold(self, start: Callable[[], _Result]) -> Iterator[_Result]:
        """Start something that takes a channel, as soon as the server allows one.

        The block is where it is used; at its end the channel has to be closed.

        Raises:
            paramiko.ChannelException: the server refuses, though no other thread has one.
        """
        me = threading.get_ident()
        with self._ended:
            self._ended.wait_for(lambda: len(self._holders) < self._most or me in self._holders)
            self._holders.append(me)
        try:
            yield self._start(start, me)
        finally:
            with self._ended:
                self._holders.remove(me)
                self._ended.notify_all()

    def _start(self, start: Callable[[], _Result], me: int) -> _Result:
        patience = time.monotonic() + _CLEARING_S
        while True:
            try:
                return start()
            except paramiko.ChannelException:
                with self._ended:
                    others = [holder for holder in self._holders if holder != me]
                    nested = self._holders.count(me) > 1
                    if others and not nested:  # let them end first, and learn from it
                        self._most = max(1, len(others))
                        self._holders.remove(me)
                        self._ended.notify_all()
                        self._ended.wait_for(lambda: len(self._holders) < self._most)
                        self._holders.append(me)
                        patience = time.monotonic() + _CLEARING_S
                        continue
                if nested or time.monotonic() >= patience:
                    raise
                time.sleep(_PAUSE_S)
