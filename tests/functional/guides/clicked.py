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
    """It is done by what follows it, or by ``host.setup``, or was before the server booted."""


def delete(reader: Reader, move: Move) -> None:
    reader.nas.call("pool.dataset.delete", move.text, {"recursive": True})
