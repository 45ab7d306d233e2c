"""``./inv bench.load``: change the version of a stack again and again under load, count what fails.

The load is a process of its own, the application's ``langflix traffic``. The stack is a copy of the
checkout on a rehearsal host of its own; peers change the same two versions on the same host, one
after another, by the Compose files that deploys left there.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

from slipway.app.bench import Copy, copied
from slipway.app.switches import ROLLED, Others, Ours, Peer, Switch
from slipway.app.underload import Change, Run
from slipway.errors import SlipwayError
from slipway.report import Report

_VIDEO, _SUBTITLE = ".slipway/samples/bigbuckbunny.mp4", "deploy/smoke.srt"
#: A load that is ended by its changes is ended by then in any case.
_MOST_S = 24 * 3600
#: Each switch has its time to show what it fails; a deploy's own watching would only be waited for.
#: Lessons are made by the load, before a switch, during it and after.
_OVERRIDE = "deploy/docker-compose.override.yml"
_SHORT_WAITS = "x-slipway: { soak: { seconds: 3 }, smoke: !reset null }\n"
#: The load goes on undisturbed for so long before the first and after the last change.
_QUIET_S = 5.0
#: What is kept of what a failed change said.
_SAID = 20
#: After its end a load waits for answers and for jobs.
_END_S = 900.0


@dataclass(frozen=True, slots=True)
class Way:
    """A way to change versions under load.

    Attributes:
        name: of the way.
        about: how exactly.
        switches: each makes the version live that is not; raises SlipwayError.
    """

    name: str
    about: str
    switches: Sequence[Callable[[], None]] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Attributes:
        rate: requests in a second.
        seconds: how long each load lasts at least.
        deploys: how often the version is changed by deploys.
        rollbacks: how often by rollbacks after that.
        changes: how often in each other way.
        peers: the other ways.
        patience: how many seconds an answer may take before it counts as failed.
    """

    rate: int
    seconds: int
    deploys: int = 0
    rollbacks: int = 0
    changes: int = 0
    peers: tuple[Peer, ...] = ()
    patience: int = 10


def load_site(root: Path, url: str, asked: Asked, report: Report) -> list[Run]:
    """Load a stack that is there, without changing it.

    Args:
        root: the checkout, with its samples.
        url: the site.
        asked: its rate and seconds count.

    Raises:
        SlipwayError: the load could not be done.
    """
    return [_run(root, url, asked, report, Way("nothing", "the load alone"))]


def load_deploys(root: Path, asked: Asked, report: Report) -> list[Run]:
    """Load a stack of its own, unchanged and changed in each way.

    Raises:
        SlipwayError: the stack or the load could not be had, or no change succeeded.
    """
    with copied(root) as copy:
        (copy.root / _OVERRIDE).write_text(_SHORT_WAITS, "utf-8")
        ours = Ours(copy)
        report.step("bench", "both versions, once")
        ours.make(0)
        ours.make(1)
        url = json.loads(copy.inv("status", "--json"))["url"]
        return [_run(copy.root, url, asked, report, way) for way in _ways(asked, copy, ours)]


def _ways(asked: Asked, copy: Copy, ours: Ours) -> Iterator[Way]:
    """Each way in turn; the next one may rest on what those before have left on the host."""
    versions = itertools.cycle((0, 1))

    def turns(switch: Switch, count: int) -> list[Callable[[], None]]:
        return [partial(switch, version) for version in itertools.islice(versions, count)]

    yield Way("nothing", "the same load without changes")
    if asked.deploys:
        about = "./inv deploy of two versions in turn"
        yield Way("deploys", about, turns(ours.make, asked.deploys))
    if asked.rollbacks:
        about = "./inv rollback to the release before, from the oldest one to the newest"
        yield Way("rollbacks", about, [ours.back] * asked.rollbacks)
    for peer in asked.peers:
        other = Others(copy, ours.releases)
        if peer.script is None:
            about = "docker compose up --detach of the two releases' Compose files"
            yield Way(peer.name, about, turns(other.compose, asked.changes))
        else:
            about = f"{other.take(peer.script)} of {', '.join(ROLLED)}; Compose for the rest"
            yield Way(peer.name, about, turns(other.rollout, asked.changes))


def _run(root: Path, url: str, asked: Asked, report: Report, way: Way) -> Run:
    """One load, meanwhile the changes."""
    report.step("bench", f"{asked.rate} requests a second, changed by {way.name}")
    changes: list[Change] = []
    seconds = _MOST_S if way.switches else asked.seconds
    with _loading(root, url, asked, seconds) as load:
        load.begun()
        began = time.monotonic()
        if way.switches:
            time.sleep(_QUIET_S)
            for count, switch in enumerate(way.switches):
                report.step("bench", f"{way.name}, {count + 1} of {len(way.switches)}")
                changes.append(_change(switch))
            time.sleep(max(_QUIET_S, began + asked.seconds - time.monotonic()))
            load.end()
        return Run(way.name, way.about, tuple(changes), load.result())


def _change(switch: Callable[[], None]) -> Change:
    at, began = datetime.now(UTC), time.monotonic()
    problem, said = "", list[str]()
    try:
        switch()
    except SlipwayError as error:
        said = [line.strip() for line in (*error.details, error.message)]
        problem = next((line for line in said if line.startswith("error:")), said[-1])
    seconds = round(time.monotonic() - began, 2)
    return Change(at.isoformat(timespec="milliseconds"), seconds, problem, tuple(said[-_SAID:]))


class Loading:
    """The application's load program at work.

    Args:
        process: it; prints when it begins and what came of it, each as a line of JSON.
        errors: what it says.
    """

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self._process = process
        self._errors = errors

    def begun(self) -> None:
        """Wait until its first request is due. Raises SlipwayError when it ends instead."""
        assert self._process.stdout is not None  # noqa: S101  it is a pipe
        self._document(self._process.stdout.readline(), "began")

    def end(self) -> None:
        """Have it send no more."""
        self._process.terminate()

    def result(self) -> dict[str, Any]:
        """Wait for its end; what it came to. Raises SlipwayError when there is no result."""
        try:
            out, _ = self._process.communicate(timeout=_END_S)
        except subprocess.TimeoutExpired as error:
            raise SlipwayError(f"the load did not end within {_END_S:.0f} s") from error
        return self._document(out.strip().rpartition(b"\n")[2], "rows")

    def _document(self, line: bytes, wanted: str) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except ValueError:
            found = {}
        if wanted in found:
            return dict(found)
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").splitlines()
        raise SlipwayError("the load could not be done", details=said[-15:])


@contextmanager
def _loading(root: Path, url: str, asked: Asked, seconds: int) -> Iterator[Loading]:
    """The load's process, ended in any case; in a session of its own, for Ctrl-C is for us."""
    argv = [sys.executable, "-m", "langflix", "traffic", "--json", "--url", url]
    argv += ["--video", str(root / _VIDEO), "--subtitle", str(root / _SUBTITLE)]
    argv += ["--rate", str(asked.rate), "--seconds", str(seconds)]
    argv += ["--patience", str(asked.patience)]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            argv,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root / "src")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        try:
            yield Loading(process, errors)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(_END_S)
                except (subprocess.TimeoutExpired, KeyboardInterrupt):
                    process.kill()
                    process.wait()
            if process.stdout:
                process.stdout.close()
