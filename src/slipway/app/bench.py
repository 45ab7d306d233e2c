"""``./inv bench``: measure what docs/performance.md reports, on this machine, in one run.

Everything is measured as a person would see it: by the command line, in a copy of the checkout, on
a rehearsal host of its own. Where a peer exists both are measured in the same run.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slipway.app import speeds
from slipway.app.figure import Figure
from slipway.errors import SlipwayError
from slipway.images.archive import archive
from slipway.images.compress import compressed
from slipway.images.layers import stream
from slipway.images.transfer import whole
from slipway.images.values import Image
from slipway.report import Report

NAME = "bench"
_LIMIT_S = 1800.0
_PYTHON_BASE = ("base", "libc", "crypto", "python")
_IMPORTS = (
    "import asyncio, ssl, http.client, logging.config, sqlite3, email.message, urllib.request, "
    "json, decimal, uuid, zoneinfo, concurrent.futures, multiprocessing, hashlib, tempfile"
)
_LOAD = (
    *("--video", ".slipway/samples/bigbuckbunny.mp4", "--subtitle", "deploy/smoke.srt"),
    *("--rate", "50", "--seconds", "30", "--jobs", "40"),
)
_HOSTS = """format = 1
default = "bench"

[host.bench]
kind = "rehearsal"
app_dir = "/mnt/tank/apps/langflix"
compose = ["docker-compose.yml", "docker-compose.truenas.yml"]
variables = { LANGFLIX_API_TOKEN_FILE = "" }
"""


def image_figures(images: tuple[Image, ...]) -> list[Figure]:
    """Sizes and numbers of layers, read from the images' descriptions and bytes. Reads the store.

    Raises:
        BuildError: a layer in the store is not as described.
    """
    api = next(image for image in images if image.role == "api")
    unique = {layer.digest: layer.bytes for image in images for layer in image.layers}
    base = [layer for layer in api.layers if layer.title in _PYTHON_BASE]
    packed = sum(_gzip_size(stream(layer)) for layer in base)
    return [
        Figure("Python base layers, gzip -6", packed / 1e6, "MB", 18.9, " + ".join(_PYTHON_BASE)),
        Figure("layers per image, most", max(len(i.layers) for i in images), "", 8),
        Figure("api image, unpacked", api.bytes / 1e6, "MB", 90),
        Figure("all images, unique bytes", sum(unique.values()) / 1e6, "MB", 450),
    ]


def _gzip_size(chunks: Iterable[bytes]) -> int:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return sum(len(packer.compress(chunk)) for chunk in chunks) + len(packer.flush())


def _environment() -> dict[str, str]:
    """This process's, in which Python keeps what it compiled, as it does unless told not to."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


class Copy:
    """A copy of the checkout with a rehearsal host of its own.

    Args:
        root: where the copy is.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def inv(self, *arguments: str) -> str:
        """Run the copy's command line; its standard output. Raises as :meth:`module` does."""
        return self.module("slipway.commandline", "--search-root", str(self.root), *arguments)

    def module(self, *arguments: str) -> str:
        """Run a Python module in the copy; its standard output.

        Raises:
            SlipwayError: it failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.root,
            env={**_environment(), "PYTHONPATH": str(self.root / "src")},
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
        if done.returncode:
            lines = [
                *done.stdout.strip().splitlines()[-5:],
                *done.stderr.strip().splitlines()[-15:],
            ]
            raise SlipwayError(f"{' '.join(arguments)} failed in the bench", details=lines)
        return done.stdout

    def change_a_line(self, module: str = "__init__.py") -> None:
        """Change one line of the application, by default of what every service imports."""
        path = self.root / "src/langflix" / module
        lines = [line for line in path.read_text("utf-8").splitlines() if "_BENCH" not in line]
        path.write_text("\n".join([*lines, f'_BENCH = "{time.time_ns()}"']) + "\n", "utf-8")

    def timed(self, *arguments: str) -> tuple[float, Any]:
        """Run a command that prints JSON; seconds and the document."""
        started = time.monotonic()
        out = self.inv(*arguments)
        return time.monotonic() - started, json.loads(out)


@contextmanager
def copied(root: Path) -> Iterator[Copy]:
    """A copy of what git knows of ``root``; its host is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        target = Path(folder)
        listed = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=True, timeout=60
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name, follow_symlinks=False)
        (target / "deploy/hosts.toml").write_text(_HOSTS, "utf-8")
        for command in (["init", "--quiet"], ["add", "--all"]):
            subprocess.run(["git", "-C", str(target), *command], check=True, timeout=60)
        copy = Copy(target)
        try:
            yield copy
        finally:
            copy.inv("rehearsal.down", "--name", NAME)


def deploy_figures(copy: Copy, images: tuple[Image, ...], runs: int, say: Report) -> list[Figure]:
    """Deploys: the first, nothing changed, one line changed; ``runs`` of each but the first.

    Raises:
        SlipwayError: a deploy failed.
    """
    say.step("bench", "first deploy")
    first = copy.timed("deploy", "--json")
    idle = [copy.timed("deploy", "--json") for _ in range(runs)]
    builds, everywhere, alone = [], [], []
    for number in range(runs):
        say.step("bench", f"changed line, {number + 1} of {runs}")
        copy.change_a_line()
        builds.append(copy.timed("build", "--json")[0])
        copy.change_a_line()
        everywhere.append(copy.timed("deploy", "--json"))
        say.step("bench", f"changed line of the API, {number + 1} of {runs}")
        copy.change_a_line("api/app.py")
        alone.append(copy.timed("deploy", "--json"))
    api = next(image for image in images if image.role == "api")
    saved = sum(len(chunk) for chunk in compressed(archive(whole([api])), "gzip"))
    return [
        *speeds.first(first),
        *speeds.idle(idle),
        *speeds.builds(builds),
        *speeds.everywhere(everywhere, saved),
        *speeds.alone(alone),
    ]


def import_figures(copy: Copy, runs: int) -> list[Figure]:
    """Imports of a typical service in the api image, with and without the standard library's pyc.

    Raises:
        SlipwayError: the command could not be run in the service.
    """
    program = (
        "import subprocess, sys, time\n"
        "def took(*flags):\n"
        "    t = time.perf_counter()\n"
        f"    subprocess.run([sys.executable, *flags, '-c', {_IMPORTS!r}], check=True)\n"
        "    return time.perf_counter() - t\n"
        f"pairs = [(took('-B'), took('-B', '-X', 'pycache_prefix=/none')) for _ in range({runs})]\n"
        "print(*sorted(a for a, _ in pairs), sep=' '); print(*sorted(b for _, b in pairs))\n"
    )
    out = copy.inv("exec", "api", "--", "/app/bin/python3", "-c", program)
    ours, without = ([float(x) for x in line.split()] for line in out.splitlines()[-2:])
    mine, peer = statistics.median(ours), statistics.median(without)
    return [
        Figure("imports of a typical service", mine * 1e3, "ms", 80, "process start to end"),
        Figure("without standard library pyc / ours", peer / mine, "times", None, "same run"),
    ]


def load_figures(copy: Copy) -> list[Figure]:
    """How the API answers while both workers make lessons; the stack's own ``langflix load`` asks.

    Raises:
        SlipwayError: a request failed, or the workers had nothing left to do.
    """
    url = json.loads(copy.inv("status", "--json"))["url"]
    told = json.loads(copy.module("langflix", "load", "--url", url, "--json", *_LOAD))
    how = f"{told['rate']} requests in a second for {told['seconds']} s, workers busy throughout"
    return [
        Figure("API while workers are busy: p50", told["p50_ms"], "ms", None, how),
        Figure("API while workers are busy: p99", told["p99_ms"], "ms", None, how),
        Figure("API while workers are busy: failed", told["failed"], "", 0, how),
    ]


def bench(root: Path, images: tuple[Image, ...], report: Report, *, runs: int) -> list[Figure]:
    """Every figure.

    Args:
        root: the checkout.
        images: its images, built.
        runs: how often what is timed is repeated.

    Raises:
        SlipwayError: something that is measured failed.
    """
    figures = image_figures(images)
    with copied(root) as copy:
        figures += deploy_figures(copy, images, runs, report)
        figures += import_figures(copy, runs=15)
        figures += load_figures(copy)
    return figures
