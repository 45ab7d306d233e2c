"""Whoever started a run, by way of its folder: they read events and leave words."""

from __future__ import annotations

import time
from collections.abc import Callable

from slipway.runner.failure import Failed
from slipway.runner.spool import Spool

_GONE_S = 20.0
_LOOK_S = 0.05
_MEANWHILE_S = 3.0
CANCEL = "cancel"


class SpoolListener:
    """The listener of a run.

    Args:
        spool: its folder.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._count = len(spool.events())
        self._ignores = False
        self._stamp, self._since = spool.stamp("heard"), time.monotonic()

    def tell(self, event: str, **fields: object) -> None:
        """Note something that happened.

        A full disk takes a note away, but neither the work nor the way back.
        """
        at = round(time.time(), 3)
        for _ in range(2):
            try:
                self._spool.note({"number": self._count, "at": at, "event": event, **fields})
                self._count += 1
                return
            except OSError:
                if not self._spool.free():
                    return

    def heed(self) -> None:
        """Look whether they want it to end.

        Raises:
            Failed: they do; its kind is ``interrupted``.
        """
        self._gone()
        if not self._ignores and self._spool.word(CANCEL) is not None:
            raise Failed("interrupted", kind="interrupted")

    def _gone(self) -> bool:
        """Whether nobody was there for some time, by a clock that does not jump."""
        stamp, now = self._spool.stamp("heard"), time.monotonic()
        if stamp != self._stamp:
            self._stamp, self._since = stamp, now
        return now - self._since > _GONE_S

    def ignore(self) -> None:
        """Heed no more."""
        self._ignores = True

    def turn(
        self, step: str, index: int, seconds: float, look: Callable[[], None] | None = None
    ) -> bool:
        """Let them carry out an action; see :meth:`slipway.runner.doors.Listener.turn`."""
        word = f"{step}-{index}"
        self.tell("turn", step=step, index=index)
        end, next_look = time.monotonic() + seconds, time.monotonic() + _MEANWHILE_S
        while time.monotonic() < end:
            self.heed()
            if look and time.monotonic() >= next_look:
                look()
                next_look = time.monotonic() + _MEANWHILE_S
            answer = self._spool.word(word)
            if answer is not None:
                if answer["failed"]:
                    raise Failed(
                        answer["message"], details=answer["details"], hint=answer["hint"] or ""
                    )
                return not answer.get("absent", False)
            if self._gone():
                self.tell("say", text="  nobody is there to do it")
                return False
            time.sleep(_LOOK_S)
        raise Failed(f"whoever deploys did not end {step} within {seconds:.0f} s")
