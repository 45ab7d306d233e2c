"""Files become what they were at a snapshot, whatever was done to them, and however it is done."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway.runner import putback
from slipway.runner.failure import Failed
from slipway.runner.putback import put_back

NAME = "slipway-demo-r"


def nobody() -> None:
    """Nobody wants the end."""


def snap(place: Path, name: str = NAME) -> None:
    """What ZFS shows of a dataset, as a copy of it."""
    shown = place / ".zfs/snapshot" / name
    shown.mkdir(parents=True)
    for one in place.iterdir():
        if one.name != ".zfs":
            subprocess.run(["cp", "--archive", str(one), str(shown)], check=True)
    shutil.copystat(place, shown)


def told(place: Path) -> dict[str, tuple[object, ...]]:
    """Everything about what lies in a folder, but for the snapshots."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(place.rglob("*")):
        inside = str(path.relative_to(place))
        if not inside.startswith(".zfs"):
            known = path.lstat()
            what = (
                str(path.readlink())
                if path.is_symlink()
                else path.read_bytes() if path.is_file() else None
            )  # fmt: skip
            found[inside] = (known.st_mode, known.st_uid, known.st_gid, known.st_mtime_ns, what)
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A dataset with files, folders and a link, of which a snapshot was taken."""
    place = tmp_path / "data"
    (place / "db/base").mkdir(parents=True, mode=0o700)
    (place / "films").mkdir()
    (place / "db/PG_VERSION").write_text("17")
    (place / "db/base/1").write_bytes(b"rows" * 100)
    (place / "films/a film.mkv").write_bytes(b"film")
    (place / "films/last").symlink_to("a film.mkv")
    os.chown(place / "db", os.getuid(), os.getgid())
    snap(place)
    return place


def spoil(place: Path) -> None:
    """All that can come to files: changed, gone, new, of another kind, another mode."""
    (place / "db/base/1").write_bytes(b"others")
    (place / "db/PG_VERSION").unlink()
    (place / "films/last").unlink()
    (place / "films/last").mkdir()
    (place / "films/last/inside").write_text("x")
    shutil.rmtree(place / "db/base")
    (place / "db/base").write_text("a file now")
    (place / "later").mkdir()
    (place / "later/one").write_text("new")
    (place / "films").chmod(0o700)


def test_everything_is_what_it_was(data: Path) -> None:
    """Contents, kinds, modes and times; a snapshot that was taken since stays."""
    before = told(data)
    spoil(data)
    snap(data, "kept")
    spoilt = told(data)
    put_back([str(data)], NAME, nobody)
    assert told(data) == before
    put_back([str(data)], "kept", nobody)
    assert told(data) == spoilt


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(turns=st.integers(0, 12))
def test_broken_off_anywhere_it_is_begun_again(tmp_path: Path, turns: int) -> None:
    """After the second time nothing tells of the first."""
    place = tmp_path / f"{turns}"
    shutil.rmtree(place, ignore_errors=True)
    for number in range(6):
        (place / f"f{number}").mkdir(parents=True)
        (place / f"f{number}/x").write_text(str(number))
    snap(place)
    before = told(place)
    for number in range(6):
        (place / f"f{number}/x").write_text("y")
        (place / f"f{number}/z").write_text("z")
    left = iter(range(turns))

    def heed() -> None:
        if next(left, None) is None:
            raise Failed("interrupted", kind="interrupted")

    try:
        put_back([str(place)], NAME, heed)
    except Failed:
        put_back([str(place)], NAME, nobody)
    assert told(place) == before


def test_what_was_not_touched_is_not_copied(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ZFS shows the same number, time of change and size of it; a film of terabytes stays."""
    film, shown = data / "films/a film.mkv", data / ".zfs/snapshot" / NAME / "films/a film.mkv"
    shown.unlink()
    os.link(film, shown)
    number = film.stat().st_ino
    calls: list[tuple[str, ...]] = []
    run = subprocess.run

    def noting(argv: tuple[str, ...], **options: object) -> object:
        calls.append(argv)
        return run(argv, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", noting)
    put_back([str(data)], NAME, nobody)
    assert film.stat().st_ino == number
    copied = {word for argv in calls for word in argv[argv.index("--") + 1 :]}
    assert copied == {"db/PG_VERSION", "db/base/1", "films/last"}


def test_datasets_below_go_back_by_themselves(data: Path) -> None:
    """Each by its own snapshot; one that is newer than it stays as it is, with what it lies in."""
    inner, newer = data / "db", data / "later/deep"
    snap(inner)
    inside = data / ".zfs/snapshot" / NAME / "db"
    shutil.rmtree(inside)
    inside.mkdir()
    newer.mkdir(parents=True)
    (newer / "kept").write_text("here")
    (data / "later/gone").write_text("x")
    before = told(inner)
    (inner / "PG_VERSION").write_text("18")
    put_back([str(data), str(inner), str(newer)], NAME, nobody)
    assert told(inner) == before
    assert (newer / "kept").read_text() == "here"


def test_without_the_snapshot_nothing_is_touched(data: Path) -> None:
    """Somebody destroyed it, or the dataset hides it."""
    before = told(data)
    with pytest.raises(Failed, match="is not there: nothing can be put back from it") as caught:
        put_back([str(data)], "other", nobody)
    assert "snapdir" in caught.value.cause.hint
    assert told(data) == before


def test_what_can_not_be_copied_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the copier's own words."""
    monkeypatch.setattr(putback, "_COPY", ("sh", "-c", "echo no room >&2; exit 1"))
    (data / "db/PG_VERSION").unlink()
    with pytest.raises(Failed, match="could be put back") as caught:
        put_back([str(data)], NAME, nobody)
    assert caught.value.cause.details == ("no room",)


def test_without_room_nothing_is_touched(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is copied has to fit in; what stays takes none, nor does what lies in other datasets."""
    spoil(data)
    spoilt = told(data)
    shown = data / ".zfs/snapshot" / NAME
    blocks = sum(
        one.lstat().st_blocks for one in shown.rglob("*") if one.is_symlink() or one.is_file()
    )
    film, copy = data / "films/a film.mkv", shown / "films/a film.mkv"
    blocks -= copy.lstat().st_blocks
    copy.unlink()
    os.link(film, copy)
    usual = os.statvfs(data)
    for free in (blocks * 512 - 1, blocks * 512):
        here = SimpleNamespace(f_bavail=free, f_frsize=1, f_files=usual.f_files)
        monkeypatch.setattr(os, "statvfs", lambda _, here=here: here)
        if free < blocks * 512:
            with pytest.raises(Failed, match=f"{blocks * 512:,} bytes are put back, {free:,}"):
                put_back([str(data)], NAME, nobody, room=True)
            assert told(data) == spoilt
        else:
            put_back([str(data)], NAME, nobody, room=True)
    assert (data / "db/PG_VERSION").read_text() == "17"


def test_what_is_a_dataset_by_now_needs_no_room(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no snapshot of then, so it stays as it is."""
    for place in (data, data / ".zfs/snapshot" / NAME):
        shutil.rmtree(place / "db")
    (data / "films/a film.mkv").write_bytes(b"another")
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=0, f_frsize=1))
    put_back([str(data), str(data / "films")], NAME, nobody, room=True)
    assert (data / "films/a film.mkv").read_bytes() == b"another"
