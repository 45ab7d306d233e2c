"""The release package's own shell scripts, run for real on this machine."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from slipway.ledger.secrets import SecretChoice, read_held, read_newest, write_secrets
from tests.unit.demo import FakeEngine, wanted

from slipway.act import hands
from slipway.doors import Completed
from slipway.errors import CommandFailed, DeployError
from slipway.hosts.local import LocalHost
from slipway.ledger.lease import LEASE_S, Holder, Lease
from slipway.ledger.records import (
    Records,
    journal,
    read_records,
    switch_current,
    write_release,
)
from slipway.plan import preflight
from slipway.plan import waste as prune
from slipway.plan.draft import Observed, draft
from slipway.plan.waste import Waste, remove_waste
from slipway.secret import Secret
from slipway.stack.model import SecretSpec

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANNA = Holder("anna@desk", "deploy r1", "2026-01-02T03:04:05Z")
BEN = Holder("ben@lap", "deploy r2", "2026-01-02T03:05:05Z")


@pytest.fixture
def host() -> LocalHost:
    """This machine."""
    return LocalHost("here")


def lease(host: LocalHost, folder: Path, token: str) -> Lease:
    """A lease below a folder that isn't there yet."""
    return Lease(host, f"{folder}/app/lease", token)


def test_lease_keeps_others_out_until_it_is_given_up(host: LocalHost, tmp_path: Path) -> None:
    """The second deploy is refused with the first one's name; afterwards it may."""
    first, second = lease(host, tmp_path, "t1"), lease(host, tmp_path, "t2")
    assert first.take(ANNA) is None
    with pytest.raises(DeployError, match="anna@desk is busy on here with `deploy r1`") as caught:
        second.take(BEN)
    assert caught.value.hint is not None
    assert f"{LEASE_S}" in caught.value.hint or f"{LEASE_S - 1}" in caught.value.hint
    first.renew()
    second.give_up()
    first.renew()
    first.give_up()
    assert second.take(BEN) is None
    second.give_up()
    assert list((tmp_path / "app").iterdir()) == []


def test_stale_lease_is_taken_over(host: LocalHost, tmp_path: Path) -> None:
    """A lease that ran out is taken over, and whose it was is told; they can't renew it."""
    first, second = lease(host, tmp_path, "t1"), lease(host, tmp_path, "t2")
    first.take(ANNA)
    path = tmp_path / "app/lease"
    path.write_text("1000 t1\n" + path.read_text().partition("\n")[2])
    assert second.take(BEN) == ANNA
    with pytest.raises(DeployError, match="not ours any more"):
        first.renew()
    second.renew()


def test_takeover_that_died_half_way(host: LocalHost, tmp_path: Path) -> None:
    """The folder of a take-over that died is named, so that a person can remove it."""
    (tmp_path / "app/lease.taking").mkdir(parents=True)
    (tmp_path / "app/lease").write_text("1000 old\n{}")
    with pytest.raises(DeployError, match="taking over") as caught:
        lease(host, tmp_path, "t1").take(ANNA)
    assert str(caught.value.hint).endswith("app/lease.taking there")


def test_removed_lease_is_lost(host: LocalHost, tmp_path: Path) -> None:
    """A lease somebody removed by hand is lost, giving it up is no error."""
    held = lease(host, tmp_path, "t1")
    held.take(ANNA)
    (tmp_path / "app/lease").unlink()
    with pytest.raises(DeployError, match="not ours any more"):
        held.renew()
    held.give_up()


@pytest.mark.parametrize("stale", [False, True])
def test_only_one_of_many_gets_it(host: LocalHost, tmp_path: Path, stale: bool) -> None:
    """Of many that ask at the same moment, for a free or a stale lease, exactly one gets it."""
    (tmp_path / "app").mkdir()
    if stale:
        (tmp_path / "app/lease").write_text('1000 old\n{"who": "x", "what": "y", "since": "z"}')
    got: list[str] = []
    barrier = threading.Barrier(8)

    def ask(token: str) -> None:
        barrier.wait(timeout=30)
        try:
            lease(LocalHost("here"), tmp_path, token).take(replace(ANNA, who=token))
        except DeployError:
            return
        got.append(token)

    threads = [threading.Thread(target=ask, args=(f"t{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(got) == 1
    assert (tmp_path / "app/lease").read_text().split()[1] == got[0]
    assert list((tmp_path / "app").iterdir()) == [tmp_path / "app/lease"]


def test_unreadable_lease_is_somebodys(host: LocalHost, tmp_path: Path) -> None:
    """A lease whose owner can't be read still counts while it lasts."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app/lease").write_text("99999999999 other\nnot json")
    with pytest.raises(DeployError, match="somebody is busy"):
        lease(host, tmp_path, "t1").take(ANNA)


def test_lease_that_cannot_be_written(host: LocalHost, tmp_path: Path) -> None:
    """Where no file can be made the lease is an error of the host, not a free lease."""
    (tmp_path / "app").write_text("a file")
    with pytest.raises(CommandFailed):
        lease(host, tmp_path, "t1").take(ANNA)


def test_releases_are_recorded_and_read(host: LocalHost, tmp_path: Path) -> None:
    """What is written is read back, newest first; the link says which one is live."""
    app = f"{tmp_path}/a b"
    assert read_records(host, app) == Records()
    first = draft(wanted(), Observed(), NOW).release
    second = replace(first, id="20270101-000000-abcdef", created="2027-01-01T00:00:00")
    for release in (second, first):
        write_release(host, app, release, b"{}")
        switch_current(host, app, release.id)
    assert read_records(host, app) == Records((second, first), first.id)
    switch_current(host, app, second.id)
    assert Path(f"{app}/current").readlink() == Path(f"releases/{second.id}")
    assert read_records(host, app).live == second


def test_journal_grows_by_lines(host: LocalHost, tmp_path: Path) -> None:
    """Each entry is a line of JSON with its time; only its owner may read the file."""
    app = f"{tmp_path}/app"
    journal(host, app, NOW, "intent", release="r1")
    journal(host, app, NOW, "outcome", outcome="deployed")
    path = Path(app) / "journal.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["intent", "outcome"]
    assert lines[0] == {
        "format": 1, "time": "2026-01-02T03:04:05+00:00", "event": "intent", "release": "r1",
    }  # fmt: skip
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


class OwnHost(LocalHost):
    """This machine, on which files stay this user's: only root may give them away."""

    def put(self, path: str, data: bytes, *, mode: int, owner: int | None = None) -> None:
        """Write without changing the owner."""
        super().put(path, data, mode=mode)


def test_secrets_lie_closed(tmp_path: Path) -> None:
    """Folders are 0700, files 0400; versions are listed without reading any."""
    host, app = OwnHost("here"), str(tmp_path)
    assert read_held(host, app) == {}
    made = SecretSpec("made", generate=8)
    acl = SecretSpec("acl", derive="redis-acl", source="made")
    given = SecretSpec("given")
    choices = [
        SecretChoice(acl, 1, "derived"),
        SecretChoice(made, 1, "generated"),
        SecretChoice(given, 2, "supplied"),
    ]
    write_secrets(host, app, choices, {"given": Secret("s")})
    held = read_held(host, app)
    assert held == {"acl": (1,), "given": (2,), "made": (1,)}
    assert read_newest(host, app, held, ["given", "none"]) == {"given": Secret("s")}
    for folder in (tmp_path / "secrets", tmp_path / "secrets/made"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "secrets/made/1").stat().st_mode) == 0o400


class WatchedHost(OwnHost):
    """Remembers every command line."""

    def __init__(self) -> None:
        super().__init__("here")
        self.lines: list[str] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,
        check: bool = True,
    ) -> Completed:
        """Remember, then run."""
        self.lines.append(repr(argv))
        return super().run(argv, timeout=timeout, input=input, check=check)


def test_secrets_are_in_no_command_line(tmp_path: Path) -> None:
    """A secret reaches the host on standard input only."""
    host = WatchedHost()
    spec = SecretSpec("given")
    write_secrets(
        host, str(tmp_path), [SecretChoice(spec, 1, "supplied")], {"given": Secret("canary-1")}
    )
    assert host.lines
    assert not [line for line in host.lines if "canary-1" in line]


def test_preflight_asks_the_real_machine(host: LocalHost, tmp_path: Path) -> None:
    """Architecture, free space, writability and listening ports are this machine's."""
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        facts = preflight.read_facts(
            host,
            f"{tmp_path}/not/yet",
            docker="26.1",
            compose="2.26",
            docker_root="/not/there",
            own_ports=frozenset({1}),
        )
    assert facts.architecture == os.uname().machine
    assert facts.app_free > 0
    assert facts.docker_free > 0
    assert facts.writable
    assert port in facts.listening
    assert facts.own_ports == {1}
    assert list(tmp_path.iterdir()) == []


def test_data_folders_are_made_once_and_left_alone(host: LocalHost, tmp_path: Path) -> None:
    """A folder that is there keeps its mode, whatever the stack says."""
    data, me = f"{tmp_path}/data dir", str(os.getuid())
    argv = ("sh", "-c", hands._DATA, "data", data, "db", "0700", me, "media", "0750", me)
    host.run(argv, timeout=30)
    assert stat.S_IMODE((Path(data) / "db").stat().st_mode) == 0o700
    (Path(data) / "db").chmod(0o711)
    host.run(argv, timeout=30)
    assert stat.S_IMODE((Path(data) / "db").stat().st_mode) == 0o711
    assert stat.S_IMODE((Path(data) / "media").stat().st_mode) == 0o750


def test_waste_is_found_and_removed(host: LocalHost, tmp_path: Path) -> None:
    """Files and records that no release needs go, with empty folders; the rest stays."""
    app = str(tmp_path)
    for path in ("files/aa/edge.cfg", "files/bb/edge.cfg", "secrets/s/1", "secrets/s/2"):
        host.put(f"{app}/{path}", b"x", mode=0o600)
    live = replace(
        draft(wanted(), Observed(), NOW).release, files=("files/bb/edge.cfg",), secrets={}
    )
    write_release(host, app, live, b"{}")
    write_release(host, app, replace(live, id="old"), b"{}")
    engine = FakeEngine(host)  # type: ignore[arg-type]
    found = prune.find_waste(host, engine, "demo", app, Records((live,), live.id))
    assert found.paths == ("files/aa/edge.cfg", "secrets/s/1")
    remove_waste(host, engine, app, replace(found, releases=("old",)))
    left = sorted(str(p.relative_to(app)) for p in tmp_path.rglob("*") if p.is_file())
    assert left == [
        "files/bb/edge.cfg",
        f"releases/{live.id}/compose.json",
        f"releases/{live.id}/release.json",
        "secrets/s/2",
    ]
    assert not (tmp_path / "files/aa").exists()
    assert Waste().empty
