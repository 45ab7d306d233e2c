"""Make ``.venv`` from the pinned, hashed ``requirements.txt``.

``./inv`` runs this file with the machine's own Python (3.11 or newer) before any package is
there, so it imports the standard library only and prints for itself. What makes a ``.venv`` good is
written into ``.venv/made-from`` last of all: an interrupted installation is begun anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

STAMP = "made-from"
# Settings that would put packages elsewhere, or other ones there. Those of the index stay.
_PIP_PLACES = (
    "USER", "TARGET", "PREFIX", "ROOT", "PYTHON", "SRC", "DRY_RUN", "REPORT", "NO_DEPS",
    "REQUIREMENT", "CONSTRAINT", "EDITABLE", "NO_BINARY", "ONLY_BINARY", "PLATFORM",
    "PYTHON_VERSION", "IMPLEMENTATION", "ABI", "QUIET", "VERBOSE", "PROGRESS_BAR", "LOG",
)  # fmt: skip
_PYTHON_PLACES = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONUSERBASE",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)
_PACKAGE = re.compile(r"^[A-Za-z0-9][^\s;]*==", re.MULTILINE)
_COLLECTING = re.compile(r"Collecting ([^\s=]+)")
_TERMINAL_S, _LOG_S = 0.2, 5.0
_LAST_LINES = 15


class Failed(Exception):
    """It can't be made.

    Args:
        code: the exit code.
        message: one sentence for a person.
        hint: the next command.
    """

    def __init__(self, code: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def state(root: Path) -> str | None:
    """What the ``.venv`` that is there should have been made from; ``./inv`` says it alike.

    Returns:
        The hash of the requirements, the program behind its Python (which has the version in its
        name) and its own real place (which its scripts name), or None without a Python in it.
    """
    python = root / ".venv/bin/python"
    if not os.access(python, os.X_OK):
        return None
    requirements = hashlib.sha256((root / "requirements.txt").read_bytes()).hexdigest()
    return f"{requirements} {os.path.realpath(python)} {os.path.realpath(root / '.venv')}"


def is_good(root: Path) -> bool:
    """Whether ``.venv`` is whole and made from what it should be."""
    wanted = state(root)
    try:
        return wanted is not None and (root / ".venv" / STAMP).read_text("utf-8") == f"{wanted}\n"
    except OSError:
        return False


def make(root: Path) -> None:
    """Make ``.venv`` anew, unless another process does so meanwhile.

    Raises:
        Failed: it can't be made; then there is none.
    """
    with _alone(root):
        if is_good(root):
            return
        venv = root / ".venv"
        _say("Preparing Python packages in .venv (first run, or something changed) …")
        remove(venv)
        try:
            _create(venv)
            _install(venv, root / "requirements.txt")
            wanted = state(root)
            (venv / STAMP).write_text(f"{wanted}\n", "utf-8")
        except BaseException:
            remove(venv)
            raise


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Let one process at a time in; it may wait. The lock ends with its process."""
    place = root / ".slipway/venv.lock"
    place.parent.mkdir(exist_ok=True)
    with place.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Waiting for another ./inv, which prepares .venv …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove(venv: Path) -> None:
    """Remove a ``.venv``; what a link leads to stays."""
    if venv.is_symlink() or venv.is_file():
        venv.unlink()
    elif venv.exists():
        shutil.rmtree(venv)


def _environment() -> dict[str, str]:
    """The variables of programs that work on ``.venv``: none that lead elsewhere."""
    without = {*_PYTHON_PLACES, *(f"PIP_{name}" for name in _PIP_PLACES)}
    kept = {name: value for name, value in os.environ.items() if name not in without}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def _create(venv: Path) -> None:
    # Not the Python of an active environment: that may be the one that was just removed.
    python = str(getattr(sys, "_base_executable", sys.executable))
    if _ran([python, "-m", "venv", str(venv)]):
        return
    remove(venv)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Failed(
            2,
            f"{python} can't make a virtual environment",
            "install your distribution's python3-venv package",
        )
    _say("Installing python3-venv …")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3-venv"]
    if not (
        _ran(["apt-get", "update", "-qq"])
        and _ran(install)
        and _ran([python, "-m", "venv", str(venv)])
    ):
        raise Failed(
            3, "python3-venv could not be installed", "run apt-get update and look at its errors"
        )


def _ran(argv: Sequence[str]) -> bool:
    done = subprocess.run(argv, env=_environment(), capture_output=True, text=True, check=False)
    return done.returncode == 0


def _install(venv: Path, requirements: Path) -> None:
    python = str(venv / "bin/python")
    argv = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "--no-color"]
    argv += ["install", "--no-user", "--progress-bar", "off", "--require-hashes"]
    argv += ["--only-binary", ":all:", "--requirement", str(requirements)]
    shown = _Shown(venv, len(_PACKAGE.findall(requirements.read_text("utf-8"))))
    with subprocess.Popen(
        argv,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            shown.follow(process)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        for line in shown.last:
            _say(f"  {line}")
        raise Failed(
            3,
            "the Python packages could not be installed; .venv was removed",
            "is the index that pip is set to reachable?",
        )
    if shown.total and not _ran([python, "-c", "import invoke"]):
        raise Failed(
            3,
            "pip put the Python packages elsewhere; .venv was removed",
            "does a pip.conf set target, prefix or root? `pip config list` shows it; "
            "PIP_CONFIG_FILE=/dev/null ./inv … does without",
        )


class _Shown:
    """Shows how far pip is.

    Args:
        venv: where it installs.
        total: how many packages it will.
    """

    def __init__(self, venv: Path, total: int) -> None:
        self.total = total
        self.last: list[str] = []
        self._venv = venv
        self._collected, self._name, self._drawn_at = 0, "", time.monotonic()
        self._on_terminal = sys.stderr.isatty()
        self._before = self._count()  # pip itself is there from the beginning

    def follow(self, process: subprocess.Popen[str]) -> None:
        """Draw until a process ends."""
        if process.stdout is None:
            raise AssertionError("its output is a pipe")
        reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        reader.start()
        while process.poll() is None:
            time.sleep(_TERMINAL_S)
            self._draw()
        reader.join()
        if self._on_terminal:
            sys.stderr.write("\r\x1b[K")

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            self.last = [*self.last, line.rstrip()][-_LAST_LINES:]
            if found := _COLLECTING.match(line):
                self._collected, self._name = self._collected + 1, found[1]

    def _count(self) -> int:
        return len(list(self._venv.glob("lib/python*/site-packages/*.dist-info")))

    def _draw(self) -> None:
        if time.monotonic() - self._drawn_at < (_TERMINAL_S if self._on_terminal else _LOG_S):
            return
        self._drawn_at = time.monotonic()
        installed = self._count() - self._before
        if installed > 0:
            text = f"  {min(installed, self.total)} of {self.total} packages installed"
        else:
            text = f"  {self._collected} of {self.total} packages collected  {self._name}"
        sys.stderr.write(f"\r\x1b[K{text}" if self._on_terminal else f"{text}\n")
        sys.stderr.flush()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main(root: Path) -> int:
    """Make ``.venv`` of a checkout, and say what stands in the way.

    Returns:
        The exit code: 2 when this machine lacks something, 3 when packages can't be had.
    """
    try:
        make(root)
    except Failed as error:
        _say(f"error: {error.message}")
        _say(f"hint: {error.hint}")
        return error.code
    except OSError as error:
        _say(f"error: .venv can't be made: {error}")
        _say("hint: the checkout must be writable for you, and its disk not full")
        return 2
    except KeyboardInterrupt:
        _say("interrupted; .venv was removed")
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
