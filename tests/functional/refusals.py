"""What every refused command has in common, and a deploy to interfere with."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from tests.functional.conftest import Ended, Site

APP = "/mnt/tank/apps/langflix"
MAIN = "src/langflix/__main__.py"
_LIMIT_S = 240.0


@dataclass(frozen=True)
class Refused:
    """The object that a refused command printed."""

    error: str
    hint: str
    ended: Ended


def refused(ended: Ended, code: int) -> Refused:
    """A command with ``--json`` ended with ``code``, an object and a sentence, no traceback."""
    assert ended.code == code, ended.err + ended.out
    assert "Traceback" not in ended.err + ended.out
    said = ended.json
    assert list(said) == ["error", "stage", "hint", "exit_code"]
    assert said["exit_code"] == code
    assert said["error"] in ended.err.replace("\n  ", "\n")
    return Refused(said["error"], said["hint"] or "", ended)


def containers(site: Site) -> dict[str, str]:
    """Service to the id of its running container."""
    listed = site.sh(
        "docker", "ps", "--no-trunc", "--format",
        '{{.Label "com.docker.compose.service"}} {{.ID}}',
    )  # fmt: skip
    return dict(line.split() for line in listed.splitlines())


def serving(site: Site, release: str) -> None:
    """The release is live and well, its URL answers, and nobody holds the lease."""
    seen = site.good("status", "--json").json
    assert seen["release"] == release
    assert seen["drift"] == []
    assert {one["health"] for one in seen["services"]} == {"healthy"}
    assert httpx.get(f"{seen['url']}/health/detailed", timeout=10).status_code == 200
    site.sh("flock", "--nonblock", f"{APP}/lease", "true")


@contextmanager
def started(site: Site, until: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that has come to the step ``until``; killed at the end if it still runs."""
    # A test run in the background ignores SIGINT, and what it starts would inherit that.
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *site.argv(*arguments)],
        cwd=site.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site.root / "src")},
    )
    watchdog = threading.Timer(_LIMIT_S, process.kill)
    watchdog.start()
    try:
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if line.startswith(until):
                break
        else:
            raise AssertionError(f"it never came to {until}: {''.join(seen)}")
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()
