"""Which dataset a path is, or why there are no snapshots of it."""

from __future__ import annotations

import json

import pytest

from slipway.doors import Completed
from slipway.hosts.dataset import Place, find_place, parse_mounts
from slipway.testing import FakeHost

MOUNTS = """\
36 25 0:33 / /srv rw,noatime shared:1 - zfs pool/srv rw,xattr
37 36 0:34 / /srv/demo/data rw shared:2 master:1 - zfs pool/srv/demo rw,xattr
38 37 0:35 / /srv/demo/data/my\\040films rw - zfs pool/srv/demo/my\\040films rw
39 25 0:33 /inner /srv/demo/bound rw - zfs pool/srv rw
"""
DATA = "/srv/demo/data"


def host(
    *, nas: str = "", zfs: str = "/usr/sbin/zfs", user: str = "0", mounts: str = ""
) -> FakeHost:
    """A host that says so; as a TrueNAS it has two datasets."""
    made = FakeHost(name="nas")
    told = {"nas": nas, "zfs": zfs, "user": user, "mounts": mounts}
    text = "".join(f"{name} {len(value)}\n{value}\n" for name, value in told.items())

    def answer(argv: tuple[str, ...], given: bytes) -> Completed:
        if argv[0] == "sh":
            return Completed(argv, 0, text.encode(), b"")
        rows = [
            {"id": f"tank{one}", "mountpoint": f"/mnt/tank{one}"} for one in ("/d", "/d/db", "/dx")
        ]
        known = {"system.version": "TrueNAS-25.04.2"}
        results = [known.get(asked["method"], rows) for asked in json.loads(given)]
        lines = "".join(json.dumps({"result": one}) + "\n" for one in results)
        return Completed(argv, 0, lines.encode(), b"")

    made.on(reply=answer)
    return made


def test_the_kernel_says_what_is_mounted() -> None:
    """A folder of a dataset that is bound somewhere is none; spaces are written as numbers."""
    assert parse_mounts(MOUNTS) == {
        "/srv": "pool/srv",
        DATA: "pool/srv/demo",
        f"{DATA}/my films": "pool/srv/demo/my films",
    }


def test_a_server_with_zfs() -> None:
    """What lies below is told as well."""
    found = find_place(host(mounts=MOUNTS), DATA)
    assert found == Place("zfs", "pool/srv/demo", DATA, (f"{DATA}/my films",))


@pytest.mark.parametrize(
    ("mounts", "zfs", "user", "why"),
    [
        ("", "", "0", f"{DATA} is no ZFS dataset of its own"),
        (MOUNTS.splitlines()[0], "/zfs", "0", f"{DATA} is no ZFS dataset of its own"),
        (MOUNTS, "", "0", "nas has no program `zfs`"),
        (MOUNTS, "/zfs", "1000", "only root can take snapshots on nas (sudo = true)"),
    ],
)
def test_why_there_are_no_snapshots(mounts: str, zfs: str, user: str, why: str) -> None:
    """A clause for the plan."""
    assert find_place(host(mounts=mounts, zfs=zfs, user=user), DATA) == why


def test_a_truenas() -> None:
    """Its middleware is asked, and works on snapshots by its release's names."""
    made = find_place(host(nas="/usr/bin/midclt", user="1000"), "/mnt/tank/d")
    assert made == Place("zfs.snapshot", "tank/d", "/mnt/tank/d", ("/mnt/tank/d/db",), root=False)
    assert (
        find_place(host(nas="/midclt"), "/mnt/tank/e") == "/mnt/tank/e is no ZFS dataset of its own"
    )
    assert find_place(host(nas="/midclt"), "/srv/e") == "/srv/e is no ZFS dataset of its own"
