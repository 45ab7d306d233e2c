"""Programs on this machine: the one place that starts a process here and waits for it."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from slipway.doors import Completed
from slipway.errors import CommandFailed

_WHERE = "this machine"


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
        watch: Callable[[str], None] | None = None,
    ) -> Completed:
        """Run a program to its end; see :meth:`slipway.doors.Shell.run`."""
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=None if env is None else {**os.environ, **env},
                cwd=cwd,
            )
        except OSError as error:
            raise CommandFailed(argv, 127, str(error), where=_WHERE) from error
        with process:
            try:
                out, err = _talk(argv, process, input, timeout, watch)
            except BaseException:
                process.kill()
                raise
        completed = Completed(tuple(argv), process.returncode, out, err)
        if check and not completed.ok:
            raise CommandFailed(argv, completed.exit_code, completed.error_text, where=_WHERE)
        return completed


def _talk(
    argv: Sequence[str],
    process: subprocess.Popen[bytes],
    data: bytes | None,
    timeout: float,
    watch: Callable[[str], None] | None,
) -> tuple[bytes, bytes]:
    """Feed and read a process to its end: its standard output and standard error."""
    seen: list[bytes] = []
    follower: threading.Thread | None = None
    if watch is not None and process.stderr is not None:
        follower = threading.Thread(target=_follow, args=(process.stderr, seen, watch), daemon=True)
        follower.start()
        process.stderr = None  # the thread reads it; communicate() would take lines from it
    try:
        out, err = process.communicate(data, timeout)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.wait()
        if follower is not None:
            follower.join(timeout=5)
        said = (error.stderr or b"".join(seen)).decode("utf-8", "replace")
        raise CommandFailed(argv, None, said, where=_WHERE) from error
    if follower is not None:
        follower.join(timeout=5)
        err = b"".join(seen)
    return out, err or b""


def _follow(stream: IO[bytes], seen: list[bytes], watch: Callable[[str], None]) -> None:
    with stream:
        for line in stream:
            seen.append(line)
            watch(line.decode("utf-8", "replace").rstrip())
