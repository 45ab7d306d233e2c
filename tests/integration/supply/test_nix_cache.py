"""What a cache that Nix is set to has is taken from there."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from slipway.report import Report
from slipway.shell import LocalShell
from slipway.supply import caches, store
from slipway.supply.nixtool import FEATURES
from slipway.supply.store import StoreFile


def test_taken_from_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that left the store comes back from a cache; one that no cache has is just missing."""
    if os.geteuid() != 0:
        pytest.skip("only root may name a cache to Nix")
    shell, cache = LocalShell(), f"file://{tmp_path}/cache"
    file = tmp_path / f"slip-cache-test-{os.getpid()}"
    file.write_bytes(os.urandom(64))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    had, lacked = StoreFile(file.name, sha256), StoreFile("slip-nobody-has", "0" * 64)
    (path,) = store.add(shell, [file])
    subprocess.run(["nix", *FEATURES, "copy", "--to", cache, path], check=True, timeout=120)
    subprocess.run(["nix-store", "--delete", path], check=True, timeout=120, capture_output=True)
    monkeypatch.setenv("NIX_CONFIG", f"substituters = {cache}\n")
    assert store.missing(shell, [had, lacked]) == (had, lacked)

    assert caches.take(shell, [had, lacked], Report(quiet=True))

    assert store.missing(shell, [had, lacked]) == (lacked,)
    assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == sha256
    subprocess.run(["nix-store", "--delete", path], check=True, timeout=120, capture_output=True)
