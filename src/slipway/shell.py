"""Programs on this machine: the one place that starts a process here and waits for it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from slipway.doors import Completed
from slipway.errors import CommandFailed


class LocalShell:
    """The :class:`slipway.doors.Shell` of this machine."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        check: bool = True,
    ) -> Completed:
        """Run a program to its end; see :meth:`slipway.doors.Shell.run`."""
        try:
            done = subprocess.run(
                list(argv),
                input=b"" if input is None else input,
                capture_output=True,
                timeout=timeout,
                env=None if env is None else {**os.environ, **env},
                cwd=cwd,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            stderr = (error.stderr or b"").decode("utf-8", "replace")
            raise CommandFailed(argv, None, stderr, where="this machine") from error
        except OSError as error:
            raise CommandFailed(argv, 127, str(error), where="this machine") from error
        completed = Completed(tuple(argv), done.returncode, done.stdout, done.stderr)
        if check and not completed.ok:
            raise CommandFailed(
                argv, completed.exit_code, completed.error_text, where="this machine"
            )
        return completed
