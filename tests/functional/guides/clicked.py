"""What the guide has its reader write into the host's table and do in the web interface."""

from __future__ import annotations

import tomllib

from tests.functional.guides.reader import Move
from tests.functional.guides.seat import HOST, KEPT, Reader

POOL = "/mnt/tank"
_MEDIA = "tank/media"


def written(reader: Reader, move: Move) -> None:
    given = tomllib.loads(move.text)
    table = reader.table
    if "host" in given:
        ((name, whole),) = given["host"].items()
        assert name == HOST
        if move.title == "Prepare your machine":
            assert {**whole, "variables": {}} == {"variables": {}, **table}, "host.add's table"
        table = whole
    else:
        table |= given
    reader.write(table)


def pool(reader: Reader, move: Move) -> None:
    reader.nas.call("docker.update", {"pool": "tank"}, job=True)
    assert reader.nas.call("docker.status")["status"] == "RUNNING"


def login(reader: Reader, move: Move) -> None:
    reader.nas.sh(
        "sh", "-c",
        "echo 'truenas_admin ALL=(ALL) NOPASSWD: ALL' >>/etc/sudoers"
        " && sed -i '/^truenas_admin:/s,:[^:]*$,:/usr/bin/bash,' /etc/passwd",
    )  # fmt: skip


def shell(reader: Reader, move: Move) -> None:
    reader.at_server = True


def permissions(reader: Reader, move: Move) -> None:
    reader.nas.call("pool.dataset.create", {"name": _MEDIA})
    film = f"{POOL}/media/A Film.mkv"
    reader.nas.sh("sh", "-c", f"echo film >'{film}' && echo >'{film[:-4]}.srt'")
    reader.nas.call("filesystem.setperm", {
        "path": f"{POOL}/media", "mode": "755", "uid": 568, "gid": 568,
        "options": {"recursive": False},
    }, job=True)  # fmt: skip


def snapshot(reader: Reader, move: Move) -> None:
    """The task's first run."""
    reader.good(f"./inv tokens.add --name {KEPT} --scope read --host {HOST}")
    made = {"dataset": "tank/apps/langflix", "name": "auto", "recursive": True}
    reader.nas.call("pool.snapshot.create", made)
    reader.good(f"./inv tokens.add --name later --scope read --host {HOST}")


def nothing(reader: Reader, move: Move) -> None:
    """What follows it says what to do there."""


def create(reader: Reader, move: Move) -> None:
    there = [one["id"] for one in reader.nas.call("pool.dataset.query")]
    if move.text in there:
        return
    made = {"name": move.text, "share_type": "GENERIC", "create_ancestors": True}
    reader.nas.call("pool.dataset.create", made)
    if move.text.endswith("/data"):
        owned = {"path": f"/mnt/{move.text}", "uid": 568, "gid": 568}
        reader.nas.call("filesystem.chown", owned, job=True)


def delete(reader: Reader, move: Move) -> None:
    reader.nas.call("pool.dataset.delete", move.text, {"recursive": True})
