"""Wheels are resolved by uv itself for the image's Python, out of a folder of tiny wheels."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from slipway.errors import LockError
from slipway.shell import LocalShell
from slipway.supply import uv, wheels


def add_wheel(folder: Path, name: str, *, tag: str = "py3-none-any", requires: str = "") -> None:
    """A wheel without code."""
    info = f"{name}-1.0.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    lines += [f"Requires-Dist: {requires}"] if requires else []
    with zipfile.ZipFile(folder / f"{name}-1.0-{tag}.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip is set to take wheels from, and nothing else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def resolve(*requirements: str, python: str = "3.13") -> list[dict[str, Any]]:
    return uv.resolve(LocalShell(), requirements, python=python, platform=wheels.UV_PLATFORM)


@pytest.mark.parametrize(
    ("python", "expected"), [("3.13", ["slipcgi", "slipweb"]), ("3.12", ["slipweb"])]
)
def test_markers_are_the_targets(index: Path, python: str, expected: list[str]) -> None:
    """What a package needs from some Python on is locked for that Python, whatever runs here."""
    add_wheel(index, "slipweb", requires="slipcgi; python_version >= '3.13'")
    add_wheel(index, "slipcgi")

    assert [package["name"] for package in resolve("slipweb", python=python)] == expected


def test_wheels_are_the_targets(index: Path) -> None:
    """Of a release's wheels the one for the target is locked, with the hash of its bytes."""
    for tag in ("cp311-cp311-manylinux_2_17_x86_64", "cp313-cp313-manylinux_2_17_x86_64"):
        add_wheel(index, "slipfast", tag=tag)
    add_wheel(index, "slipfast", tag="cp313-cp313-win_amd64")

    (package,) = resolve("slipfast")
    chosen = wheels.choose(package, wheels.ranks("3.13"))

    assert chosen.file_name == "slipfast-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"
    assert len(chosen.sha256) == 64


def test_a_package_that_nobody_has(index: Path) -> None:
    """uv's own words tell what is missing."""
    with pytest.raises(LockError) as caught:
        resolve("slip-no-such-package")

    assert "slip-no-such-package" in " ".join(caught.value.details)
