"""The health check program: its own Go tests, run with the locked Go."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.integration.deploy.rooms import ROOT

from slipway.supply import locks
from slipway.supply.gomod import unpack_go


def test_the_probe_keeps_its_contract(tmp_path: Path) -> None:
    """Answers, silence, refusal and wrong usage each have their exit code and sentence."""
    lock = locks.read_debian(ROOT / "nix/locks/debian.json")
    packages = [Path(lock.packages[name].file.path) for name in lock.groups["tool.go"]]
    assert all(package.exists() for package in packages), "./inv fetch brings the locked Go"
    go = unpack_go(packages, tmp_path / "go")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GOCACHE": str(tmp_path / "cache"),
        "GOROOT": str(go.parent.parent),
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    for command in (["vet", "./probe"], ["test", "-count=1", "-v", "./probe"]):
        done = subprocess.run(
            [str(go), *command], cwd=ROOT / "nix/go", env=env, capture_output=True, timeout=300
        )
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert b"--- PASS: TestAnswers" in done.stdout
