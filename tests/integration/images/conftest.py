"""The real nix2container, beside which the layer writer is tested."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def nix2container() -> Path:
    """Its program: from ``NIX2CONTAINER``, or built by Nix from the checkout."""
    if given := os.environ.get("NIX2CONTAINER"):
        return Path(given)
    nix = ("nix", "--extra-experimental-features", "nix-command flakes", "build", "--no-link")
    done = subprocess.run(
        [*nix, "--json", ".#nix2container"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, f"nix2container can't be built:\n{done.stderr}"
    (built,) = json.loads(done.stdout)
    return Path(built["outputs"]["out"]) / "bin" / "nix2container"
