"""The oldest Docker that is said to work, 20.10, with the newest Compose that hosts of tests have.

Debian 12 has that Docker. Its programs are laid over those that rehearsal hosts boot from.
"""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.functional.conftest import FILES, Site
from tests.functional.test_other_hosts import add_host, whole_life

from slipway.config import load
from slipway.doors import SystemClock
from slipway.hosts.rehearsal import POOL, RehearsalInfo, Rehearsals
from slipway.report import Report
from slipway.shell import LocalShell
from slipway.supply.outputs import outputs

OLDEST = "20.10"
#: What they need of libraries that no other program of the host has.
PACKAGES = ("docker.io", "containerd", "runc", "libdevmapper1.02.1")


def run(*argv: str | Path, cwd: Path | None = None) -> str:
    """What a program of this machine printed."""
    done = subprocess.run(
        argv, cwd=cwd, capture_output=True, text=True, timeout=600, check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def older(tree: Path, made: Path) -> Path:
    """The programs of a host, with the oldest Docker's over them."""
    found = re.search(r"Candidate: (\S+)", run("apt-cache", "policy", "docker.io"))
    candidate = found[1] if found else "none"
    if not candidate.startswith(OLDEST):
        pytest.skip(f"this distribution's Docker is {candidate}; Debian 12 has {OLDEST}")
    shutil.copytree(tree, made, symlinks=True)
    run("chmod", "-R", "u+w", made)
    packages = made.parent / "packages"
    packages.mkdir()
    run("apt-get", "download", "-o", "APT::Sandbox::User=root", *PACKAGES, cwd=packages)
    for package in packages.glob("*.deb"):
        run("dpkg-deb", "--extract", package, made)
    return made


@pytest.fixture
def host(site: Site, tmp_path: Path) -> Iterator[RehearsalInfo]:
    """A host with that Docker."""
    (tree,) = outputs(LocalShell(), site.root, load(site.root), ("rehearsal-host",)).values()
    name, shell = f"older-{secrets.token_hex(3)}", LocalShell()
    folder = site.root / ".slipway/rehearsal"
    hosts = Rehearsals(folder, shell=shell, clock=SystemClock(), report=Report())
    try:
        yield hosts.up(name, older(tree, tmp_path / "tree"))
    finally:
        hosts.down(name)


@pytest.mark.long  # tests/unit/runner/test_older.py, tests/integration/runner/test_host_docker.py
def test_the_oldest_docker_is_deployed_to(site: Site, host: RehearsalInfo) -> None:
    """All of it, a changed line beside what runs, and back."""
    assert host.docker_version.startswith(OLDEST)
    add_host(site, "older", {
        "kind": "ssh",
        "address": host.address,
        "user": "root",
        "key_file": host.key_path,
        "known_hosts": host.known_hosts_path,
        "app_dir": f"{POOL}/apps/langflix",
        "compose": FILES,
    })  # fmt: skip

    def change_and_back() -> None:
        before = site.good("status", "--host", "older", "--json").json["release"]
        with (site.root / "src/langflix/api/app.py").open("a", encoding="utf-8") as file:
            file.write("# another line\n")
        changed = site.good("deploy", "--host", "older", "--json").json
        assert (changed["outcome"], changed["downtime_s"]["seen"]) == ("deployed", {})
        site.good("rollback", "--host", "older")
        assert site.good("status", "--host", "older", "--json").json["release"] == before

    whole_life(site.inv, "older", change_and_back)
