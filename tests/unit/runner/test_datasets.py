"""Snapshots by the middleware and by ``zfs``: what is asked, and what of the answers counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slipway.runner import datasets
from slipway.runner.datasets import OLDER, POOL, ZFS, HostDatasets
from slipway.runner.failure import Failed
from slipway.runner.middleware import FAILED, NasError

BUSY = "[EFAULT] Failed to delete snapshot: cannot destroy 'tank/d@n': dataset is busy"


class Asked(list[tuple[Any, ...]]):
    """What the middleware was asked; it fails with the words it was given."""

    says = ""

    def call(self, *words: Any) -> None:
        """Take a call."""
        self.append(words)
        if self.says:
            raise NasError(FAILED, "EFAULT", self.says)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """In the middleware's place."""
    found = Asked()
    monkeypatch.setattr(datasets, "call", found.call)
    return found


@pytest.mark.parametrize("by", [POOL, OLDER])
def test_the_middleware_is_asked_by_the_names_of_its_release(asked: Asked, by: str) -> None:
    """With all that lies below, in one call."""
    host = HostDatasets()
    host.take(by, "tank/d", "n")
    assert host.destroy(by, "tank/d", "n") == ""
    assert asked == [
        (f"{by}.create", {"dataset": "tank/d", "name": "n", "recursive": True}),
        (f"{by}.delete", "tank/d@n", {"recursive": True}),
    ]


@pytest.mark.parametrize("by", [POOL, OLDER])
def test_data_go_back_by_the_middleware_without_destroying_anything(asked: Asked, by: str) -> None:
    """What lies below goes with it; a newer snapshot is in the way, and a person decides."""
    HostDatasets().revert(by, "tank/d", "n")
    assert asked == [(f"{by}.rollback", "tank/d@n", {"recursive_rollback": True})]
    asked.says = "more recent snapshots or bookmarks exist\ntank/d@later"
    with pytest.raises(Failed, match="could not be made what they were at tank/d@n") as caught:
        HostDatasets().revert(by, "tank/d", "n")
    assert caught.value.cause.details == ("tank/d@later",)
    assert "Manage Snapshots" in caught.value.cause.hint


def test_a_snapshot_that_is_not_taken_is_a_failure(asked: Asked) -> None:
    """With the reason and how to go on without."""
    asked.says = "[EFAULT] Failed to snapshot tank/d@n: out of space\nmore"
    with pytest.raises(Failed) as caught:
        HostDatasets().take(POOL, "tank/d", "n")
    cause = caught.value.cause
    assert cause.message == f"no snapshot of tank/d could be taken: {asked.says.splitlines()[0]}"
    assert cause.details == ("more",)
    assert "snapshots = false" in cause.hint


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ("cannot open 'tank/d@n': dataset does not exist", ""),
        ("[ENOENT] None: 'tank/d@n' not found", ""),
        ("could not find any snapshots to destroy; check snapshot names.", ""),
        (BUSY, BUSY),
    ],
)
def test_what_is_gone_is_as_good_as_destroyed(asked: Asked, said: str, stays: str) -> None:
    """What is held or was cloned stays, and says why."""
    asked.says = said
    assert HostDatasets().destroy(POOL, "tank/d", "n") == stays


def test_zfs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recursively; what it says counts, and that there is none."""
    log = tmp_path / "log"
    program = tmp_path / "zfs"
    program.write_text(
        f'#!/bin/sh\necho "$@" >>{log}\n[ "$1" = snapshot ] || {{ echo {BUSY!r} >&2; exit 1; }}\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(datasets, "_PATH", f"{tmp_path}:/usr/bin:/bin")
    host = HostDatasets()
    host.take(ZFS, "tank/d", "n")
    assert host.destroy(ZFS, "tank/d", "n").endswith("dataset is busy")
    assert log.read_text().splitlines() == ["snapshot -r tank/d@n", "destroy -r tank/d@n"]
    program.unlink()
    with pytest.raises(Failed, match="zfs: "):
        host.take(ZFS, "tank/d", "n")
