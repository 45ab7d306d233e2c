"""Fixtures: the tree as Nix builds it, and hosts that are removed whatever happens."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.doors import SystemClock
from slipway.hosts.rehearsal import RehearsalInfo, Rehearsals
from slipway.report import Report
from slipway.shell import LocalShell

ROOT = Path(__file__).parents[3]
NIX = ["nix", "--extra-experimental-features", "nix-command flakes", "build", "--no-link"]


@dataclass(frozen=True, slots=True)
class Lab:
    """Rehearsal hosts below one folder.

    Attributes:
        root: the folder of their states.
        tree: the programs they run from.
        said: what was reported.
    """

    root: Path
    tree: Path
    said: io.StringIO

    @property
    def hosts(self) -> Rehearsals:
        """The hosts; a new object each time, as each command of a user has one."""
        report = Report(err=self.said)
        return Rehearsals(self.root, shell=LocalShell(), clock=SystemClock(), report=report)

    def up(self, name: str) -> RehearsalInfo:
        """Boot from the tree."""
        return self.hosts.up(name, self.tree)


def ssh(
    info: RehearsalInfo, *argv: str, user: str = "root", data: bytes = b"", tty: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run a command on the host by the system's ssh client, host key checked."""
    options = [
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={info.known_hosts_path}",
        "GlobalKnownHostsFile=/dev/null",
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "ConnectTimeout=10",
    ]
    login = ["ssh", "-F", "/dev/null", "-i", info.key_path, *(["-tt"] if tty else [])]
    login += [part for option in options for part in ("-o", option)]
    login += [f"{user}@{info.address}", *argv]
    return subprocess.run(login, input=data, capture_output=True, timeout=120, check=False)


def ask(info: RehearsalInfo, *argv: str, data: bytes = b"") -> str:
    """Standard output of a command on the host that must succeed."""
    done = ssh(info, *argv, data=data)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def busybox_archive(tree: Path) -> bytes:
    """A tiny root file system: busybox and the folders it serves from."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.add(tree / "usr/bin/busybox", "bin/busybox")
        for name in ("sh", "dd", "httpd", "wget", "sleep", "echo"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        page = tarfile.TarInfo("www/index.html")
        page.size = 6
        tar.addfile(page, io.BytesIO(b"hello\n"))
    return stream.getvalue()


@pytest.fixture(scope="session")
def rehearsal_tree() -> Path:
    """The tree, built from the store's locked inputs."""
    argv = [*NIX, "--json", f"{ROOT}#rehearsal-host"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, f"run ./inv fetch first: {done.stderr[-2000:]}"
    return Path(json.loads(done.stdout)[0]["outputs"]["out"])


@pytest.fixture(scope="session", autouse=True)
def _root_is_needed() -> None:
    assert os.geteuid() == 0, "rehearsal hosts need root: run these tests as root"


@pytest.fixture(scope="module")
def make_lab(
    rehearsal_tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Lab]]:
    """Make places for hosts; all of them are removed in the end."""
    made: list[Lab] = []

    def make() -> Lab:
        made.append(Lab(tmp_path_factory.mktemp("lab") / "hosts", rehearsal_tree, io.StringIO()))
        return made[-1]

    yield make
    for lab in made:
        for info in lab.hosts.list_all():
            lab.hosts.down(info.name)


@pytest.fixture
def lab(make_lab: Callable[[], Lab]) -> Lab:
    """A place of the test's own."""
    return make_lab()


@pytest.fixture(scope="module")
def booted(make_lab: Callable[[], Lab]) -> tuple[Lab, RehearsalInfo]:
    """A host that runs, with the image ``box:1``; for tests that leave it as it is."""
    lab = make_lab()
    info = lab.up("shared")
    ask(info, "docker", "import", "-", "box:1", data=busybox_archive(lab.tree))
    return lab, info
