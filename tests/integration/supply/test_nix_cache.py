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
from slipway.supply.fetch import read_locks
from slipway.supply.lock import go_packages
from slipway.supply.nixtool import FEATURES
from slipway.supply.places import Places
from slipway.supply.store import StoreFile

ROOT = Path(__file__).parents[3]


def written(path: Path, content: bytes, folder: bool) -> Path:
    """A file of this content, or a folder that holds one."""
    if folder:
        path.mkdir()
    (path / "inside" if folder else path).write_bytes(content)
    return path


@pytest.mark.parametrize("folder", [False, True])
def test_taken_from_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: bool) -> None:
    """What left the store comes back from a cache; what no cache has is just missing."""
    if os.geteuid() != 0:
        pytest.skip("only root may name a cache to Nix")
    shell, cache = LocalShell(), f"file://{tmp_path}/cache"
    file = tmp_path / f"slip-cache-test-{os.getpid()}"
    content = os.urandom(64)
    (path,) = store.add(shell, [written(file, content, folder)], recursive=folder)
    sha256 = store.nar_sha256(shell, path) if folder else hashlib.sha256(content).hexdigest()
    had = StoreFile(file.name, sha256, recursive=folder)
    lacked = StoreFile("slip-nobody-has", "0" * 64)
    assert path == had.path
    subprocess.run(["nix", *FEATURES, "copy", "--to", cache, path], check=True, timeout=120)
    subprocess.run(["nix-store", "--delete", path], check=True, timeout=120, capture_output=True)
    monkeypatch.setenv("NIX_CONFIG", f"substituters = {cache}\n")
    assert store.missing(shell, [had, lacked]) == (had, lacked)

    assert caches.take(shell, {}, [had, lacked], Report(quiet=True)).asked

    assert store.missing(shell, [had, lacked]) == (lacked,)
    assert Path(path, "inside" if folder else "").read_bytes() == content
    subprocess.run(["nix-store", "--delete", path], check=True, timeout=120, capture_output=True)


def test_what_is_published_builds_without_debians_go() -> None:
    """The images' inputs have the Go that builds and its modules, and not the one that fetches."""
    locked = read_locks(Places(ROOT))
    attribute = "packages.x86_64-linux.images"
    drv = run("nix-instantiate", str(ROOT / "nix"), "--attr", attribute).split()[-1]

    published = set(run("nix-store", "--query", "--requisites", "--include-outputs", drv).split())

    assert {locked.go.toolchain.path, locked.go.vendor.path} <= published
    assert not {package.file.path for package in go_packages(locked.debian)} & published


def run(*argv: str) -> str:
    done = subprocess.run(argv, check=True, timeout=300, capture_output=True)
    return done.stdout.decode()
