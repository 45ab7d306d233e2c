"""The connection that a ``ProxyCommand`` makes, as a socket.

As ssh does it, this user's shell runs the command with a socket as its standard input and output.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
from typing import IO

_END_S = 5.0
_MOMENT_S = 1.0


class Proxy:
    """A running ``ProxyCommand``.

    Args:
        command: for a shell, tokens filled in.

    Attributes:
        socket: this side of the connection.
    """

    def __init__(self, command: str) -> None:
        self.command = command
        self.socket, theirs = socket.socketpair()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, closed in close()
        with theirs:
            self._process = subprocess.Popen(
                (os.environ.get("SHELL") or "/bin/sh", "-c", f"exec {command}"),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._errors,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        """Whether the command ended, or does so in a moment; what it made is no connection then."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_MOMENT_S)
        return self._process.returncode is not None

    def words(self) -> str:
        """What it wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")

    def close(self) -> None:
        """End it."""
        self.socket.close()
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, 15)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, 9)
            self._process.wait(_END_S)
        self._errors.close()
