"""The place that each thing in docs/guides/truenas.md has in its test: how it is done, what holds.

Commands are looked up by their program or task alone, so that their words are the guide's own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable

from cryptography.hazmat.primitives import serialization
from tests.functional.guides.reader import Kind, Move
from tests.functional.guides.seat import HOST, NAME, Reader
from tests.functional.nas import STANDING

Doing = Callable[[Reader, Move], None]
POOL = "/mnt/tank"
_MEDIA = "tank/media"
_KEPT = "kept"
_LINE = "src/langflix/api/app.py"


class Unknown(AssertionError):
    """The guide has something that its test has no place for."""


#: What can't be done here, by section and words, with the reason.
LEFT_OUT = {
    ("Prepare the server", "System > Services > SSH"): "the stand-in's sshd is always on",
    (
        "A copy elsewhere",
        "Data Protection > Replication Tasks",
    ): "the stand-in has neither ZFS nor a second pool",
    ("Gemini", '"docker-compose.gemini.yml"'): "Google's API can't be asked from here",
    (
        "Gemini",
        'SLIPWAY_SECRET_GEMINI_API_KEY="$(cat gemini.key)" ./inv deploy --host truenas',
    ): "Google's API can't be asked from here; test_overlays does so with a stand-in of it",
    (
        "What the Apps page shows",
        "./inv down --host truenas",
    ): "said of a dataset that is locked or deleted; Uninstall does both",
}


def place(move: Move) -> Doing | str:
    """How to do it, or why it can't be done.

    Raises:
        Unknown: neither is known.
    """
    if (reason := LEFT_OUT.get((move.title, move.text))) is not None:
        return reason
    doing = _BY_KIND[move.kind](move)
    if doing is None:
        raise Unknown(f"{move} ({move.kind.value}) has no place in tests/functional/guides")
    return doing


def _type(move: Move) -> Doing | None:
    words = [word for word in move.text.split() if not re.match(r"[A-Z_]+=", word)]
    name = f"inv {words[1]}" if words[0] == "./inv" else words[0]
    return _AFTER_DOWN.get(move.title) if name == "inv down" else _TYPED.get(name)


def _write(move: Move) -> Doing | None:
    given = tomllib.loads(move.text)
    known = set(given) == {"host"} or set(given) <= {"compose", "variables", "mode"}
    return _written if known else None


def _dataset(move: Move) -> Doing | None:
    return _DATASETS.get(move.title) if move.text.startswith("tank/apps/langflix") else None


def _written(reader: Reader, move: Move) -> None:
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


# --- in the web interface


def _pool(reader: Reader, move: Move) -> None:
    reader.nas.call("docker.update", {"pool": "tank"}, job=True)
    assert reader.nas.call("docker.status")["status"] == "RUNNING"


def _login(reader: Reader, move: Move) -> None:
    reader.nas.sh(
        "sh", "-c",
        "echo 'truenas_admin ALL=(ALL) NOPASSWD: ALL' >>/etc/sudoers"
        " && sed -i '/^truenas_admin:/s,:[^:]*$,:/usr/bin/bash,' /etc/passwd",
    )  # fmt: skip


def _shell(reader: Reader, move: Move) -> None:
    reader.at_server = True


def _permissions(reader: Reader, move: Move) -> None:
    reader.nas.call("pool.dataset.create", {"name": _MEDIA})
    film = f"{POOL}/media/A Film.mkv"
    reader.nas.sh("sh", "-c", f"echo film >'{film}' && echo >'{film[:-4]}.srt'")
    reader.nas.call("filesystem.setperm", {
        "path": f"{POOL}/media", "mode": "755", "uid": 568, "gid": 568,
        "options": {"recursive": False},
    }, job=True)  # fmt: skip


def _snapshot(reader: Reader, move: Move) -> None:
    """The task's first run."""
    reader.good(f"./inv tokens.add --name {_KEPT} --scope read --host {HOST}")
    made = {"dataset": "tank/apps/langflix", "name": "auto", "recursive": True}
    reader.nas.call("pool.snapshot.create", made)
    reader.good(f"./inv tokens.add --name later --scope read --host {HOST}")


def _nothing(reader: Reader, move: Move) -> None:
    """What follows it says what to do there."""


def _create(reader: Reader, move: Move) -> None:
    there = [one["id"] for one in reader.nas.call("pool.dataset.query")]
    if move.text in there:
        return
    made = {"name": move.text, "share_type": "GENERIC", "create_ancestors": True}
    reader.nas.call("pool.dataset.create", made)
    if move.text.endswith("/data"):
        owned = {"path": f"/mnt/{move.text}", "uid": 568, "gid": 568}
        reader.nas.call("filesystem.chown", owned, job=True)


def _delete(reader: Reader, move: Move) -> None:
    reader.nas.call("pool.dataset.delete", move.text, {"recursive": True})


# --- typed


def _runs(*promised: str) -> Doing:
    """It succeeds, and what it prints has these patterns."""

    def doing(reader: Reader, move: Move) -> None:
        done = reader.good(move.text)
        for pattern in promised:
            assert re.search(pattern, done.out + done.err), f"{move}\n{done.out}{done.err}"

    return doing


def _fingerprint(reader: Reader, move: Move) -> None:
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


def _compared(reader: Reader, move: Move) -> None:
    assert reader.good(move.text).out.split()[1] == reader.said["fingerprint"]


def _over_ssh(reader: Reader, move: Move) -> None:
    out = reader.good(move.text).out
    if "image rm" in move.text:
        left = reader.nas.sh("docker", "image", "ls", "--quiet", "langflix/*")
        assert (left, "Deleted" in out) == ("", True)
    else:
        assert "Docker Compose version" in out


def _deploy(reader: Reader, move: Move) -> None:
    done = reader.good(move.text)
    url = _url(reader)
    assert url in done.out + done.err, done.out + done.err
    _stands(reader)
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


def _stands(reader: Reader, workers: int = 1) -> None:
    services = reader.inv("status")["services"]
    assert {one["health"] for one in services} == {"healthy"}, services
    assert len(services) >= STANDING + workers - 1, services


def _status(reader: Reader, move: Move) -> None:
    reader.good(move.text)
    _stands(reader)


def _scale(reader: Reader, move: Move) -> None:
    reader.good(move.text)
    there = reader.nas.sh("docker", "ps", "--format", "{{.Names}}").split()
    wanted = int(move.text.split("worker=")[1].split()[0])
    assert len([one for one in there if "-worker-" in one]) == wanted, there


def _rollback(reader: Reader, move: Move) -> None:
    """There has to be something to go back from: a changed line."""
    before = reader.inv("status")["release"]
    with (reader.root / _LINE).open("a", encoding="utf-8") as file:
        file.write("# another line\n")
    reader.good(f"./inv deploy --host {HOST}")
    assert reader.inv("status")["release"] != before
    reader.good(move.text)
    assert reader.inv("status")["release"] == before


def _exec(reader: Reader, move: Move) -> None:
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
    _stands(reader)


def _down(reader: Reader, move: Move) -> None:
    reader.good(move.text)
    running = reader.nas.sh("docker", "ps", "--all", "--quiet")
    assert running == "", running


def _down_and_back_in_time(reader: Reader, move: Move) -> None:
    """Take it down, roll both datasets back, and deploy."""
    _down(reader, move)
    for dataset in ("tank/apps/langflix/data", "tank/apps/langflix"):
        reader.nas.call("pool.snapshot.rollback", f"{dataset}@auto")
    reader.good(f"./inv deploy --host {HOST}")
    _stands(reader)
    assert [one["name"] for one in reader.inv("tokens.list")["tokens"]] == [_KEPT]


_CLICKS: dict[str, Doing] = {
    "Apps > Configuration > Choose Pool": _pool,
    "Datasets > Add Dataset": _nothing,
    "Credentials > Users > truenas_admin > Edit": _login,
    "System > Shell": _shell,
    "Datasets > Permissions > Edit": _permissions,
    "Data Protection > Periodic Snapshot Tasks": _snapshot,
}
_DATASETS: dict[str, Doing] = {
    "Prepare the server": _create,
    "Snapshots": _nothing,
    "Uninstall": _delete,
}
_AFTER_DOWN: dict[str, Doing] = {
    "One of TrueNAS' apps": _down,
    "Snapshots": _down_and_back_in_time,
    "Uninstall": _down,
}
_TYPED: dict[str, Doing] = {
    "curl": _runs("postgres"),
    "ssh-keygen": _fingerprint,
    "ssh-keyscan": _compared,
    "ssh": _over_ssh,
    "inv host.add": _runs("hosts.local.toml"),
    "inv host.doctor": _runs(),
    "inv plan": _runs("postgres"),
    "inv deploy": _deploy,
    "inv secrets.show": _runs(r"(?m)^\S{20,}$"),
    "inv status": _status,
    "inv logs": _runs("worker"),
    "inv releases": _runs("live"),
    "inv restart": _runs(),
    "inv scale": _scale,
    "inv rollback": _rollback,
    "inv exec": _exec,
    "inv run": _runs("A Film"),
    "inv certificate": _runs("BEGIN CERTIFICATE"),
}
_BY_KIND: dict[Kind, Callable[[Move], Doing | None]] = {
    Kind.TYPE: _type,
    Kind.WRITE: _write,
    Kind.CLICK: lambda move: _CLICKS.get(move.text),
    Kind.DATASET: _dataset,
    Kind.FILE: lambda move: None,
}
