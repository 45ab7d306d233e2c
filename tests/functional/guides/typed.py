"""The commands that the guide has its reader type, and what has to hold afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable

from cryptography.hazmat.primitives import serialization
from tests.functional.guides.reader import Move
from tests.functional.guides.seat import HOST, KEPT, NAME, Reader
from tests.functional.nas import STANDING

Doing = Callable[[Reader, Move], None]
_LINE = "src/langflix/api/app.py"


def runs(*promised: str) -> Doing:
    """It succeeds, and what it prints has these patterns."""

    def doing(reader: Reader, move: Move) -> None:
        done = reader.good(move.text)
        for pattern in promised:
            assert re.search(pattern, done.out + done.err), f"{move}\n{done.out}{done.err}"

    return doing


def setup(reader: Reader, move: Move) -> None:
    """An empty server has all of it afterwards; on a terminal it asks, and here is none."""
    if "--dry-run" in move.text:
        assert "nothing was changed" in reader.good(move.text).out
        return
    reader.good(f"{move.text} --yes")
    assert "nothing to do" in reader.good(move.text).out
    assert reader.nas.call("docker.status")["status"] == "RUNNING"
    datasets = {one["id"] for one in reader.nas.call("pool.dataset.query")}
    assert {"tank/apps/langflix", "tank/apps/langflix/data"} <= datasets


def fingerprint(reader: Reader, move: Move) -> None:
    """The stand-in lacks the program and the file that a TrueNAS has; its private key tells."""
    assert reader.at_server
    reader.at_server = False
    path = move.text.split()[-1]
    here = reader.home / "server.pub"
    here.write_text(_public(reader.nas.sh("cat", path.removesuffix(".pub"))), "utf-8")
    reader.said["fingerprint"] = reader.good(move.text.replace(path, str(here))).out.split()[1]


def _public(private: str) -> str:
    key = serialization.load_ssh_private_key(private.encode(), password=None).public_key()
    kinds = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_bytes(*kinds).decode()


def compared(reader: Reader, move: Move) -> None:
    assert reader.good(move.text).out.split()[1] == reader.said["fingerprint"]


def over_ssh(reader: Reader, move: Move) -> None:
    out = reader.good(move.text).out
    if "image rm" in move.text:
        left = reader.nas.sh("docker", "image", "ls", "--quiet", "langflix/*")
        assert (left, "Deleted" in out) == ("", True)
    else:
        assert "Docker Compose version" in out


def deploy(reader: Reader, move: Move) -> None:
    done = reader.good(move.text)
    url = _url(reader)
    assert url in done.out + done.err, done.out + done.err
    stands(reader)
    answered = reader.good(f"curl --fail --insecure --silent --show-error {url}/health")
    assert answered.out
    app = reader.nas.app()
    assert (app["state"] if app else None) == (
        "RUNNING" if reader.table.get("mode") == "app" else None
    )


def _url(reader: Reader) -> str:
    """What the guide promises."""
    if "LANGFLIX_DOMAIN" in reader.table["variables"]:
        return f"https://{NAME}:8443"
    return f"http://{NAME}:8080"


def stands(reader: Reader, workers: int = 1) -> None:
    services = reader.inv("status")["services"]
    assert {one["health"] for one in services} == {"healthy"}, services
    assert len(services) >= STANDING + workers - 1, services


def status(reader: Reader, move: Move) -> None:
    reader.good(move.text)
    stands(reader)


def scale(reader: Reader, move: Move) -> None:
    reader.good(move.text)
    there = reader.nas.sh("docker", "ps", "--format", "{{.Names}}").split()
    wanted = int(move.text.split("worker=")[1].split()[0])
    assert len([one for one in there if "-worker-" in one]) == wanted, there


def rollback(reader: Reader, move: Move) -> None:
    """There has to be something to go back from: a changed line."""
    before = reader.inv("status")["release"]
    with (reader.root / _LINE).open("a", encoding="utf-8") as file:
        file.write("# another line\n")
    reader.good(f"./inv deploy --host {HOST}")
    assert reader.inv("status")["release"] != before
    reader.good(move.text)
    assert reader.inv("status")["release"] == before


def dump(reader: Reader, move: Move) -> None:
    """A dump, then a token that it doesn't have; the dump read back."""
    names = [one["name"] for one in reader.inv("tokens.list")["tokens"]]
    if "pg_dump" in move.text:
        reader.good(move.text)
        reader.said["dumped"] = " ".join(names)
        reader.good(f"./inv tokens.add --name undumped --scope read --host {HOST}")
        return
    assert "undumped" in names
    reader.good(move.text)
    names = [one["name"] for one in reader.inv("tokens.list")["tokens"]]
    assert " ".join(names) == reader.said["dumped"]
    stands(reader)


def down(reader: Reader, move: Move) -> None:
    reader.good(move.text)
    running = reader.nas.sh("docker", "ps", "--all", "--quiet")
    assert running == "", running


def down_and_back_in_time(reader: Reader, move: Move) -> None:
    """Take it down, roll both datasets back, and deploy."""
    down(reader, move)
    for dataset in ("tank/apps/langflix/data", "tank/apps/langflix"):
        reader.nas.call("pool.snapshot.rollback", f"{dataset}@auto")
    reader.good(f"./inv deploy --host {HOST}")
    stands(reader)
    assert [one["name"] for one in reader.inv("tokens.list")["tokens"]] == [KEPT]
