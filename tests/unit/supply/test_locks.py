"""Locks are written readably and read strictly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slipway.errors import LockError
from slipway.supply import locks

ROOT = Path(__file__).parents[3]
SHA = "a" * 64


def debian() -> dict[str, Any]:
    package = {
        "name": "bash",
        "version": "5.2-1",
        "source": "bash",
        "archive": "debian",
        "suite": "trixie",
        "path": "pool/main/b/bash/bash_5.2-1_amd64.deb",
        "size": 7,
        "sha256": SHA,
    }
    index = {"archive": "debian", "suite": "trixie", "sha256": SHA, "stamp": "20260101T000000Z"}
    return {
        "format": 2,
        "asked": {"image.edge": ["bash"], "release": ["trixie"]},
        "indexes": [index],
        "packages": {"bash": package},
        "groups": {"image.edge": ["bash"]},
        "stage0_sha256": SHA,
    }


def read(tmp_path: Path, value: object) -> locks.DebianLock:
    path = tmp_path / "debian.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return locks.read_debian(path)


def test_round_trip(tmp_path: Path) -> None:
    """What is rendered reads back as the same value."""
    lock = read(tmp_path, debian())

    assert read(tmp_path, locks.render(lock)) == lock


@pytest.mark.parametrize("name", ["debian", "python", "go"])
def test_committed_locks(name: str) -> None:
    """The committed locks are in the form that would be written today."""
    path = ROOT / f"nix/locks/{name}.json"
    readers = {"debian": locks.read_debian, "python": locks.read_python, "go": locks.read_go}
    lock: Any = readers[name](path)

    assert locks.render(lock) == path.read_text()


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (("format", 1), "format", "another version wrote it"),
        (("format", 3), "format", "another version wrote it"),
        (("asked", None), "asked", "is missing"),
        (("stage0_sha256", "xyz"), "stage0_sha256", "64 hex digits"),
        (("surprise", 1), "surprise", "is unknown"),
        (("groups", {"g": ["zsh"]}), "groups.g[0]", "zsh is not among the packages"),
        (("packages", []), "packages", "should be a table"),
    ],
)
def test_problems_are_named(
    tmp_path: Path, change: tuple[str, object], where: str, what: str
) -> None:
    """Each problem of a lock is reported with its path in the file."""
    value = debian() | {change[0]: change[1]}

    with pytest.raises(LockError) as caught:
        read(tmp_path, value)

    assert any(where in line and what in line for line in caught.value.details)


def test_all_problems_at_once(tmp_path: Path) -> None:
    """Two problems are both reported, in one error with exit code 3."""
    value = debian()
    value["packages"]["bash"]["sha256"] = "short"
    value["packages"]["bash"]["path"] = "http://elsewhere/x.deb"

    with pytest.raises(LockError) as caught:
        read(tmp_path, value)

    assert caught.value.exit_code == 3
    assert len(caught.value.details) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1', "\x00"])
def test_no_json(tmp_path: Path, text: str) -> None:
    """A lock that is no JSON is an error with a hint, never a traceback."""
    with pytest.raises(LockError) as caught:
        read(tmp_path, text)

    assert "./inv lock" in str(caught.value.hint)


def test_missing(tmp_path: Path) -> None:
    """A missing lock names the command that makes it."""
    with pytest.raises(LockError) as caught:
        locks.read_python(tmp_path / "python.json")

    assert caught.value.hint == "./inv lock makes it"


def test_no_host_is_named() -> None:
    """No lock holds an address: where files come from is the machine's business."""
    for path in (ROOT / "nix/locks").glob("*.json"):
        assert "://" not in path.read_text(), path.name
