"""Our Go programs: their own tests, run with the locked Go and the vendored modules."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.deploy.rooms import ROOT

from slipway.supply import locks
from slipway.supply.gomod import unpack_go


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs the locked Go in a copy of the modules' folder; returns what it said."""
    folder = tmp_path_factory.mktemp("go")
    lock = locks.read_debian(ROOT / "nix/locks/debian.json")
    packages = [Path(lock.packages[name].file.path) for name in lock.groups["tool.go"]]
    vendor = Path(locks.read_go(ROOT / "nix/locks/go.json").vendor.path)
    assert all(path.exists() for path in [*packages, vendor]), "./inv fetch brings the locked Go"
    program = unpack_go(packages, folder / "go")
    shutil.copytree(ROOT / "nix/go", folder / "tools")
    (folder / "tools/vendor").symlink_to(vendor)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOCACHE": str(folder / "cache"),
        "GOROOT": str(program.parent.parent),
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(program), *arguments], cwd=folder / "tools", env=env, capture_output=True,
            timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        return done.stdout.decode()

    return run


@pytest.mark.parametrize(
    ("name", "test"), [("probe", "TestAnswers"), ("compose-model", "TestFilesBesideAreRead")]
)
def test_a_program_keeps_its_contract(name: str, test: str, go: Callable[..., str]) -> None:
    """Each program's own tests pass, and nothing in it looks like a mistake."""
    go("vet", f"./{name}")
    assert f"--- PASS: {test}" in go("test", "-count=1", "-v", f"./{name}")
