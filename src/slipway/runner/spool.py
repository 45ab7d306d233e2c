"""What a run leaves on disk: who asked for what, what happened, and how it ended.

``runs/ID/`` of the application's folder holds ``request.json`` (what was asked), ``about.json``
(who asked), ``pid`` (who works at it), ``events.jsonl`` (one line for each thing that happened),
``end.json`` (how it ended), ``heard`` (touched by whoever listens), ``words/`` (what they say) and
``told`` (they have been shown the end). The link ``runs/last`` leads to the latest one.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Mapping
from typing import Any

RUNS = "runs"
LAST = "last"
_KEPT = 10
# Blocks that are given back when the disk is full, so that the end can be written down.
_RESERVE = "reserve"
_RESERVED = bytes(range(256)) * 512


class Spool:
    """The folder of one run.

    Args:
        app_dir: the application's folder.
        run: the run's id.
    """

    def __init__(self, app_dir: str, run: str) -> None:
        self.run = run
        self.path = os.path.join(app_dir, RUNS, run)

    def make(self, request: Mapping[str, Any]) -> None:
        """Begin: write down what was asked, and lead ``runs/last`` here."""
        os.makedirs(os.path.join(self.path, "words"), mode=0o700)
        self.write("request.json", request)
        parent = os.path.dirname(self.path)
        number = 1 + max(_number(parent, name) for name in os.listdir(parent))
        self.write("about.json", {"run": self.run, "holder": request["holder"], "number": number})
        self.work()
        with open(os.path.join(self.path, _RESERVE), "wb") as file:
            file.write(_RESERVED)
        fresh = os.path.join(parent, f".{LAST}.{self.run}")
        os.symlink(self.run, fresh)
        os.replace(fresh, os.path.join(parent, LAST))
        _prune(parent)

    def free(self) -> bool:
        """Give back the disk's blocks that were set aside; whether there were any."""
        try:
            os.unlink(os.path.join(self.path, _RESERVE))
        except OSError:
            return False
        return True

    def work(self) -> None:
        """Note that this process works at it."""
        with open(os.path.join(self.path, "pid"), "w", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a file of JSON, whole or not at all."""
        path = os.path.join(self.path, name)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{path}.new", path)

    def read(self, name: str) -> dict[str, Any] | None:
        """A file of JSON, or None when it isn't there."""
        try:
            with open(os.path.join(self.path, name), encoding="utf-8") as file:
                value = json.load(file)
        except (OSError, ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def note(self, event: Mapping[str, Any]) -> None:
        """An event, on disk before anything follows from it; whole or not at all.

        Raises:
            OSError: it can't be written.
        """
        line = json.dumps(event, ensure_ascii=False).encode() + b"\n"
        path = os.path.join(self.path, "events.jsonl")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        size = os.fstat(file).st_size
        try:
            if size and os.pread(file, 1, size - 1) != b"\n":
                line = b"\n" + line  # what a loss of power broke off
            written = os.write(file, line)
            if written < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file, size)
            raise
        finally:
            os.close(file)

    def events(self, first: int = 0) -> list[dict[str, Any]]:
        """Events from number ``first`` on; a line that was broken off is left out."""
        found = []
        with contextlib.suppress(OSError):
            with open(os.path.join(self.path, "events.jsonl"), "rb") as file:
                for line in file.read().splitlines():
                    with contextlib.suppress(ValueError, RecursionError):
                        event = json.loads(line)
                        if isinstance(event, dict):
                            found.append(event)
        return found[first:]

    def touch(self, name: str) -> None:
        """Note that something is so, or is so still."""
        with open(os.path.join(self.path, name), "ab"):
            os.utime(os.path.join(self.path, name))

    def stamp(self, name: str) -> int:
        """A number that every :meth:`touch` changes; 0 when there was none."""
        try:
            return os.stat(os.path.join(self.path, name)).st_mtime_ns
        except OSError:
            return 0

    def say(self, word: str, value: Mapping[str, Any]) -> None:
        """Leave a word for the run."""
        self.write(os.path.join("words", word), value)

    def word(self, word: str) -> dict[str, Any] | None:
        """A word that was left, or None."""
        return self.read(os.path.join("words", word))


def last(app_dir: str) -> Spool | None:
    """The latest run, or None before the first."""
    try:
        return Spool(app_dir, os.readlink(os.path.join(app_dir, RUNS, LAST)))
    except OSError:
        return None


def _prune(parent: str) -> None:
    """Keep the latest runs only.

    In the order in which this host began them: a name begins with the time of whoever asked.
    """
    latest = os.readlink(os.path.join(parent, LAST))
    runs = [name for name in os.listdir(parent) if name[:1].isdigit() and name != latest]
    for name in sorted(runs, key=lambda name: (_number(parent, name), name))[: 1 - _KEPT]:
        shutil.rmtree(os.path.join(parent, name), ignore_errors=True)


def _number(parent: str, name: str) -> int:
    """Which of the host's runs it is; 0 when it doesn't say."""
    about = Spool(os.path.dirname(parent), name).read("about.json") or {}
    number = about.get("number")
    return number if type(number) is int else 0
