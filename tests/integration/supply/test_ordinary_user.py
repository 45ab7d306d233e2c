"""What an ordinary user of the deploying machine may do with root's Nix: with its daemon, all.

Run by the system's Python, because root's own may lie where nobody else may look.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import slipway

#: nobody, as Debian numbers him.
NOBODY = 65534
PYTHON = "/usr/bin/python3"
ASK = """
from slipway.report import Report
from slipway.shell import LocalShell
from slipway.supply.nixtool import ensure
from slipway.errors import SlipwayError
try:
    print(ensure(LocalShell(), Report()) >= (2, 8))
except SlipwayError as error:
    print(error.exit_code, error.message, *error.details, sep="|")
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody may look into, with a copy of the source; nobody's home."""
    made = Path("/tmp", f"slipway-nobody-{os.getpid()}")
    shutil.copytree(Path(slipway.__file__).parent, made / "src/slipway")
    (made / "home").mkdir()
    os.chown(made / "home", NOBODY, NOBODY)
    yield made
    shutil.rmtree(made)


def asked(place: Path, **environment: str) -> str:
    """What nobody is told."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(place / "home"),
        "PYTHONPATH": str(place / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **environment,
    }
    done = subprocess.run(
        [PYTHON, "-c", ASK], env=env, cwd="/", user=NOBODY, group=NOBODY, extra_groups=[],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_without_the_daemon_a_sentence_says_so(place: Path) -> None:
    """Not the raw words of the third program that is called."""
    socket = {"NIX_DAEMON_SOCKET_PATH": str(place / "none")}
    code, message, *details = asked(place, **socket).split("|")
    assert (code, message) == (
        "3", "nobody can't use the Nix store of this machine; nothing was built",
    )  # fmt: skip
    assert details


def test_with_the_daemon_all_is_well(place: Path) -> None:
    """It takes files for nobody."""
    socket = {"NIX_DAEMON_SOCKET_PATH": str(place / "socket")}
    with subprocess.Popen(["nix-daemon"], env={**os.environ, **socket}) as daemon:
        try:
            for _ in range(600):
                if (place / "socket").exists():
                    break
                time.sleep(0.1)
            assert asked(place, **socket) == "True"
        finally:
            daemon.terminate()
