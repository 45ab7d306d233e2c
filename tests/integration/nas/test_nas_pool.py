"""Pools, datasets, snapshots with real effect on files, permissions; by release."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.integration.nas.bench import Nas, Refused

WEB = "tank/apps/web"


def _space(nas: Nas) -> str:
    return "pool.snapshot" if nas.release.pool_snapshot else "zfs.snapshot"


def _dataset(nas: Nas, name: str = WEB, **more: object) -> dict[str, Any]:
    return dict(nas.call("pool.dataset.create", {"name": name, "create_ancestors": True, **more}))


def _fill(folder: Path) -> None:
    """Files with owners, modes, times and links of their own."""
    (folder / "db").mkdir()
    (folder / "db/table").write_text("rows")
    os.chown(folder / "db", 999, 999)
    (folder / "db").chmod(0o700)
    (folder / "db/table").chmod(0o640)
    os.utime(folder / "db/table", (1_000_000, 1_000_000))
    (folder / "link").symlink_to("db/table")
    os.link(folder / "db/table", folder / "twin")


def test_pools(nas2510: Nas) -> None:
    """Each folder is a pool, hidden ones are none."""
    rows = nas2510.call("pool.query")

    assert [row["name"] for row in rows] == ["dozer", "tank"]
    assert {row["status"] for row in rows} == {"ONLINE"}
    assert rows[1]["path"] == str(nas2510.pool)


def test_a_dataset(nas: Nas) -> None:
    """It is made with those above it, and told of with each property's source."""
    user = [{"key": "ours:stack", "value": "web"}]
    row = _dataset(nas, user_properties=user, recordsize="16K", atime="OFF")

    assert row["mountpoint"] == str(nas.pool / "apps/web")
    assert stat.S_IMODE((nas.pool / "apps/web").stat().st_mode) == 0o755
    assert row["user_properties"]["ours:stack"]["value"] == "web"
    assert (row["recordsize"]["value"], row["recordsize"]["source"]) == ("16K", "LOCAL")
    assert (row["acltype"]["value"], row["acltype"]["source"]) == ("POSIX", "DEFAULT")
    assert set(row["used"]) == {"parsed", "rawvalue", "value", "source", "source_info"}
    assert [one["id"] for one in nas.call("pool.dataset.query")] == [
        "dozer", "tank", "tank/apps", WEB,
    ]  # fmt: skip


def test_what_is_asked_of_datasets(nas2510: Nas) -> None:
    """Some properties, no children; or a tree of children."""
    _dataset(nas2510)
    extra = {"retrieve_children": False, "properties": ["mountpoint"]}
    (flat,) = nas2510.call("pool.dataset.query", [["id", "=", "tank/apps"]], {"extra": extra})
    tree = nas2510.call("pool.dataset.query", [], {"extra": {"flat": False}})

    assert flat["children"] == []
    assert "used" not in flat
    assert [one["id"] for one in tree] == ["dozer", "tank"]
    assert tree[1]["children"][0]["children"][0]["id"] == WEB


def test_a_dataset_for_apps(nas: Nas) -> None:
    """NFSv4's access lists are said; the group of apps may write, for want of such lists."""
    row = _dataset(nas, share_type="APPS")
    told = nas.call("filesystem.stat", row["mountpoint"])

    assert (row["acltype"]["value"], row["aclmode"]["value"]) == ("NFSV4", "PASSTHROUGH")
    assert (told["acl"], told["gid"], stat.S_IMODE(told["mode"])) == (True, 568, 0o770)


def test_datasets_that_cannot_be(nas: Nas) -> None:
    """A name that is taken, a parent that is missing, a name that is none, the system's own."""
    _dataset(nas)
    (nas.pool / "apps/loose").mkdir()

    def refusal(name: str, **more: object) -> str:
        with pytest.raises(Refused) as refused:
            nas.call("pool.dataset.create", {"name": name, **more})
        return str(refused.value).removeprefix("[EINVAL] pool_dataset_create.name: ")

    assert refusal(WEB) == f"Path {nas.pool / 'apps/web'} already exists"
    assert refusal("tank/apps/loose") == f"Path {nas.pool / 'apps/loose'} already exists"
    assert refusal("tank/a/b") == "Parent dataset (tank/a) does not exist."
    assert refusal("gone/a") == "zpool (gone) does not exist."
    assert refusal("gone/a", create_ancestors=True).startswith("Please specify a pool")
    assert refusal("web") == "You need a full name, e.g. pool/newdataset"
    assert "is using system internal managed dataset" in refusal("tank/ix-apps/a")


def test_a_dataset_goes(nas: Nas) -> None:
    """With its files; one with others below it only when that is said."""
    _dataset(nas)
    with pytest.raises(Refused, match=r"\[ENOTEMPTY\] Failed to delete dataset"):
        nas.call("pool.dataset.delete", "tank/apps")

    assert nas.call("pool.dataset.delete", "tank/apps", {"recursive": True}) is True
    assert not (nas.pool / "apps").exists()
    with pytest.raises(Refused, match=r"\[ENOENT\] ALL: PoolDataset tank/apps does not exist"):
        nas.call("pool.dataset.delete", "tank/apps")


def test_which_name_snapshots_go_by(nas: Nas) -> None:
    """``zfs.snapshot`` until 25.10, ``pool.snapshot`` from 25.10 on."""
    for space, there in (
        ("pool.snapshot", nas.release.pool_snapshot),
        ("zfs.snapshot", nas.release.zfs_snapshot),
    ):
        if there:
            assert nas.call(f"{space}.query") == []
        else:
            with pytest.raises(Refused):
                nas.call(f"{space}.query")


def test_a_snapshot(nas: Nas) -> None:
    """Its entry; properties are left out on 26 unless asked for."""
    _dataset(nas)
    row = nas.call(f"{_space(nas)}.create", {"dataset": WEB, "name": "s1"})

    assert (row["id"], row["pool"], row["snapshot_name"]) == (f"{WEB}@s1", "tank", "s1")
    assert isinstance(row["createtxg"], str)
    assert ("creation" in row["properties"]) == (not nas.release.bare_snapshots)
    names = nas.call(f"{_space(nas)}.query", [["dataset", "=", WEB]], {"select": ["name"]})
    assert names == [{"name": f"{WEB}@s1"}]
    (full,) = nas.call(f"{_space(nas)}.query", [["id", "=", f"{WEB}@s1"]])
    assert ("holds" in full) == nas.release.bare_snapshots


def test_rolling_back_puts_files_back(nas: Nas) -> None:
    """With owners, modes, times and links; what came since is gone, datasets below are not."""
    _dataset(nas)
    _dataset(nas, f"{WEB}/inner")
    folder = nas.pool / "apps/web"
    _fill(folder)
    nas.call(f"{_space(nas)}.create", {"dataset": WEB, "name": "s1"})
    (folder / "db/table").write_text("other rows, and more")
    (folder / "new").write_text("new")
    (folder / "link").unlink()
    (folder / "inner/kept").write_text("kept")

    assert nas.call(f"{_space(nas)}.rollback", f"{WEB}@s1") is None
    told = (folder / "db/table").stat()
    assert (folder / "db/table").read_text() == "rows"
    assert (stat.S_IMODE(told.st_mode), told.st_mtime, told.st_nlink) == (0o640, 1_000_000, 2)
    assert ((folder / "db").stat().st_uid, stat.S_IMODE((folder / "db").stat().st_mode)) == (
        999,
        0o700,
    )
    assert (folder / "link").readlink() == Path("db/table")
    assert not (folder / "new").exists()
    assert (folder / "inner/kept").read_text() == "kept"


def test_newer_snapshots_stand_in_the_way(nas: Nas) -> None:
    """Unless it is said that they may go."""
    _dataset(nas)
    for name in ("s1", "s2"):
        nas.call(f"{_space(nas)}.create", {"dataset": WEB, "name": name})
    with pytest.raises(Refused, match="more recent snapshots or bookmarks exist") as refused:
        nas.call(f"{_space(nas)}.rollback", f"{WEB}@s1")

    assert f"{WEB}@s2" in str(refused.value)
    nas.call(f"{_space(nas)}.rollback", f"{WEB}@s1", {"recursive": True})
    left = nas.call(f"{_space(nas)}.query", [], {"select": ["name"]})
    assert left == [{"name": f"{WEB}@s1"}]


def test_a_snapshot_is_there_once(nas: Nas) -> None:
    """A second one of the name is refused with EEXIST, on 26 as an error of arguments."""
    _dataset(nas)
    nas.call(f"{_space(nas)}.create", {"dataset": WEB, "name": "s1"})
    with pytest.raises(Refused, match="already exists") as refused:
        nas.call(f"{_space(nas)}.create", {"dataset": WEB, "name": "s1"})

    if nas.release.bare_snapshots:
        assert refused.value.errors == [["pool.snapshot.create", "s1 already exists.", 17]]
    else:
        assert refused.value.errno == 17


def test_snapshots_of_all_below(nas: Nas) -> None:
    """Taken, rolled back and deleted together."""
    _dataset(nas)
    space = _space(nas)
    nas.call(f"{space}.create", {"dataset": "tank/apps", "name": "s", "recursive": True})
    (nas.pool / "apps/web/new").touch()
    nas.call(f"{space}.rollback", "tank/apps@s", {"recursive_rollback": True})

    assert not (nas.pool / "apps/web/new").exists()
    assert nas.call(f"{space}.delete", "tank/apps@s", {"recursive": True}) is True
    assert nas.call(f"{space}.query") == []
    assert not list((nas.pool / ".nas/snapshots").iterdir())


def test_snapshots_that_are_not_there(nas: Nas) -> None:
    """Deleting says ENOENT; rolling back says what ``zfs`` does."""
    with pytest.raises(Refused, match=r"\[ENOENT\] ALL: "):
        nas.call(f"{_space(nas)}.delete", "tank@gone")
    text = "'tank@gone' not found" if nas.release.bare_snapshots else "dataset does not exist"
    with pytest.raises(Refused, match=text):
        nas.call(f"{_space(nas)}.rollback", "tank@gone")


def test_a_held_snapshot_stays(nas2510: Nas) -> None:
    """Until it is let go."""
    nas2510.call("pool.snapshot.create", {"dataset": "tank", "name": "s"})
    nas2510.call("pool.snapshot.hold", "tank@s")
    with pytest.raises(Refused, match="dataset is busy"):
        nas2510.call("pool.snapshot.delete", "tank@s")
    nas2510.call("pool.snapshot.release", "tank@s")

    assert nas2510.call("pool.snapshot.delete", "tank@s") is True


def test_what_a_path_is(nas: Nas) -> None:
    """A dataset's folder is a mount point; what isn't there is ENOENT."""
    _dataset(nas)
    told = nas.call("filesystem.stat", str(nas.pool / "apps/web"))

    assert (told["type"], told["is_mountpoint"], told["user"]) == ("DIRECTORY", True, "root")
    gone = nas.pool / "gone"
    with pytest.raises(Refused) as refused:
        nas.call("filesystem.stat", str(gone))
    assert str(refused.value) == f"[ENOENT] Path {gone} not found"


def test_a_folder_is_made(nas: Nas) -> None:
    """With the mode that is asked for; one that is there is EEXIST, one elsewhere EPERM."""
    folder = nas.pool / "made"
    told = nas.call("filesystem.mkdir", {"path": str(folder), "options": {"mode": "750"}})

    assert (told["name"], stat.S_IMODE(folder.stat().st_mode)) == ("made", 0o750)
    with pytest.raises(Refused, match=r"\[EEXIST\]"):
        nas.call("filesystem.mkdir", {"path": str(folder)})
    with pytest.raises(Refused, match=r"\[EPERM\] .*: path not permitted"):
        nas.call("filesystem.mkdir", {"path": str(nas.root / "elsewhere")})


def test_owners_and_modes(nas: Nas) -> None:
    """Jobs; below a path only where it is said, other datasets only where that is, too."""
    _dataset(nas)
    _dataset(nas, f"{WEB}/inner")
    folder = nas.pool / "apps/web"
    (folder / "a").mkdir()
    told = {"path": str(folder), "uid": 999, "gid": 999, "options": {"recursive": True}}

    assert nas.job("filesystem.chown", told) is None
    assert (folder / "a").stat().st_uid == 999
    assert (folder / "inner").stat().st_uid == 0
    assert nas.job("filesystem.setperm", {"path": str(folder), "mode": "700"}) is None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with pytest.raises(Refused, match="is a ZFS pool mountpoint"):
        nas.job("filesystem.setperm", {"path": str(nas.pool), "mode": "700"})


def test_access_lists_have_to_be_given_up(nas: Nas) -> None:
    """A dataset for apps keeps its mode until ``stripacl`` is said."""
    path = _dataset(nas, share_type="APPS")["mountpoint"]
    with pytest.raises(Refused, match="Non-trivial ACL present"):
        nas.job("filesystem.setperm", {"path": path, "mode": "755"})
    nas.job("filesystem.setperm", {"path": path, "mode": "755", "options": {"stripacl": True}})

    assert nas.call("filesystem.stat", path)["acl"] is False
