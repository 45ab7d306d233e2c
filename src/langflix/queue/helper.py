"""A second worker beside the first, for the light queue: no film makes housekeeping wait.

It is a process of its own with one child, started and ended by the worker's process, so that a
container stays one thing to start, to watch and to stop.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys

from langflix.settings import LIGHT_QUEUE

#: Names the process that the helper must not outlive.
PARENT = "LANGFLIX_PARENT_PID"
STOP_S = 20.0
log = logging.getLogger(__name__)


class Helper:
    """The process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def keep(self) -> None:
        """Start it, or start it again when it has ended."""
        if self._stopping or (self._process is not None and self._process.poll() is None):
            return
        if self._process is not None:
            code = self._process.returncode
            log.error("the light worker ended", extra={"event": "helper.ended", "code": code})
        environ = {
            "LANGFLIX_QUEUES": LIGHT_QUEUE,
            "LANGFLIX_CONCURRENCY": "1",
            PARENT: str(os.getpid()),
        }
        self._process = subprocess.Popen(
            (sys.executable, "-m", "langflix", "worker"),
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environ},
        )

    def stop(self) -> None:
        """Tell it to stop, and start it no more."""
        self._stopping = True
        if self._process is not None:
            self._process.terminate()

    def end(self) -> None:
        """Stop it and wait until it is gone."""
        self.stop()
        if self._process is None:
            return
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def orphaned() -> bool:
    """Say, in a helper, whether its parent has died."""
    parent = os.environ.get(PARENT, "")
    return parent.isdigit() and os.getppid() != int(parent)
