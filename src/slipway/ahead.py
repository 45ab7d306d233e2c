"""A question asked before its answer is needed, while other things are worked on or waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Answer = TypeVar("_Answer")


class Ahead(Generic[_Answer]):
    """An answer on its way; the asking begins at once.

    Args:
        ask: asks, in a thread of its own that no end of the process waits for.
    """

    def __init__(self, ask: Callable[[], _Answer]) -> None:
        self._ask = ask
        self._found: list[_Answer] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def answer(self) -> _Answer:
        """The answer, as soon as it is there; again the same when asked again.

        Raises:
            BaseException: what the asking raised.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found[0]

    @property
    def ended(self) -> bool:
        """Whether there is an answer, or an error, already."""
        return not self._thread.is_alive()

    def drop(self, end: Callable[[_Answer], object]) -> None:
        """Want the answer no longer, and don't wait: it is ended when it comes.

        Args:
            end: is given the answer; what the asking raised is nobody's any more.
        """

        def see_off() -> None:
            self._thread.join()
            for found in self._found:
                end(found)

        threading.Thread(target=see_off, daemon=True).start()

    def _run(self) -> None:
        try:
            self._found.append(self._ask())
        except BaseException as error:  # raised again where the answer is wanted
            self._error = error
