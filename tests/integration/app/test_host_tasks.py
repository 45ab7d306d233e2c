"""A machine is written down and looked at by the command line, in a checkout of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.functional.conftest import ROOT, copy_checkout

from slipway.hosts.table import OWN


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this one, with the programs that were built for it."""
    root = tmp_path_factory.mktemp("checkout")
    copy_checkout(root)
    if (ROOT / ".slipway/programs").is_dir():
        shutil.copytree(ROOT / ".slipway/programs", root / ".slipway/programs", symlinks=True)
    return root


def inv(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run its command line, with nobody to answer questions."""
    return subprocess.run(
        [sys.executable, "-m", "slipway.commandline", "--search-root", str(root), *arguments],
        cwd=root, capture_output=True, text=True, timeout=300, check=False,
        stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(root / "src")},
    )  # fmt: skip


def closed_port() -> str:
    """A TCP port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def test_a_machine_is_added_and_looked_at(checkout: Path) -> None:
    """What the one writes the other reads; git does not see it, and knows no change."""
    flags = ("--address", "127.0.0.1", "--port", closed_port(), "--folder", "/mnt/tank/apps/x")
    added = inv(checkout, "host.add", "attic", *flags, "--truenas", "--json")
    assert added.returncode == 0, added.stderr
    said = json.loads(added.stdout)
    assert (said["host"], said["file"], said["reached"]) == ("attic", OWN, False)
    assert "./inv host.setup --host attic" in added.stderr
    status = ["git", "-C", str(checkout), "status", "--porcelain", "--", "deploy"]
    shown = subprocess.run(status, capture_output=True, text=True, check=True).stdout
    assert "hosts.local" not in shown
    again = inv(checkout, "host.add", "attic", *flags)
    assert again.returncode == 2
    assert "--replace" in again.stderr
    assert inv(checkout, "host.add", "attic", *flags, "--replace").returncode == 0

    looked = inv(checkout, "host.doctor", "--host", "attic", "--json")
    assert looked.returncode == 4, looked.stderr
    found = json.loads(looked.stdout)
    assert [one["code"] for one in found["findings"]] == ["unreachable"]
    assert "refused the connection" in found["findings"][0]["what"]
    assert found["unchecked"]
    told = inv(checkout, "host.doctor", "--host", "attic")
    assert told.returncode == 4
    assert told.stdout.splitlines()[0].startswith("error: attic can't be reached")
    assert told.stdout.splitlines()[-1] == "attic: 1 error, 0 warnings"


def test_what_is_wrong_with_the_files_is_told_with_the_rest(checkout: Path) -> None:
    """Each problem of them is a finding; the host, which can't be reached, is 4 all the same."""
    override = checkout / "deploy/docker-compose.override.yml"
    override.write_text("services: { api: { imagee: x } }\n")
    try:
        looked = inv(checkout, "host.doctor", "--host", "rehearsal", "--json")
    finally:
        override.unlink()
    assert {one["code"] for one in json.loads(looked.stdout)["findings"]} == {
        "stack", "unreachable",
    }  # fmt: skip
    assert looked.returncode == 4


def test_a_machine_without_a_name_is_not_added(checkout: Path) -> None:
    """With nobody to ask, what is needed is said."""
    done = inv(checkout, "host.add", "cellar")
    assert done.returncode == 2
    assert "--address and --folder are needed" in done.stderr
    assert "Traceback" not in done.stderr
