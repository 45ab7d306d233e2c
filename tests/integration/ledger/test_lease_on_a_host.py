"""The lease's own shell scripts, run for real on this machine."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from slipway.ledger.lease import LEASE_S, Holder, HostLease, Taken

from slipway.errors import CommandFailed, DeployError
from slipway.hosts.local import LocalHost

ANNA = Holder("anna@desk", "deploy r1", "2026-01-02T03:04:05Z")
BEN = Holder("ben@lap", "deploy r2", "2026-01-02T03:05:05Z")


@pytest.fixture
def host() -> LocalHost:
    """This machine."""
    return LocalHost("here")


def lease(host: LocalHost, folder: Path, token: str) -> HostLease:
    """A lease below a folder that isn't there yet."""
    return HostLease(host, f"{folder}/app/lease", token)


def test_lease_keeps_others_out_until_it_is_given_up(host: LocalHost, tmp_path: Path) -> None:
    """The second deploy is refused with the first one's name; afterwards it may."""
    first, second = lease(host, tmp_path, "t1"), lease(host, tmp_path, "t2")
    assert first.take(ANNA) == Taken()
    with pytest.raises(DeployError, match="anna@desk is busy on here with `deploy r1`") as caught:
        second.take(BEN)
    assert caught.value.hint is not None
    assert f"{LEASE_S}" in caught.value.hint or f"{LEASE_S - 1}" in caught.value.hint
    first.renew()
    second.give_up()
    first.renew()
    first.give_up()
    assert second.take(BEN) == Taken()
    second.give_up()
    assert list((tmp_path / "app").iterdir()) == []


def test_stale_lease_is_taken_over(host: LocalHost, tmp_path: Path) -> None:
    """A lease that ran out is taken over, and whose it was is told; they can't renew it."""
    first, second = lease(host, tmp_path, "t1"), lease(host, tmp_path, "t2")
    first.take(ANNA)
    path = tmp_path / "app/lease"
    path.write_text("1000 t1\n" + path.read_text().partition("\n")[2])
    assert second.take(BEN) == Taken(None, ANNA)
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


def test_who_holds_it_is_told_what_is_live(host: LocalHost, tmp_path: Path) -> None:
    """Taking, taking over and renewing tell the live release, so that a stale plan is found out."""
    held, other = lease(host, tmp_path, "t1"), lease(host, tmp_path, "t2")
    assert held.take(ANNA) == Taken()
    assert held.renew() is None
    (tmp_path / "app/current").symlink_to("releases/r1")
    assert held.renew() == "r1"
    path = tmp_path / "app/lease"
    path.write_text("1000 t1\n" + path.read_text().partition("\n")[2])
    assert other.take(BEN) == Taken("r1", ANNA)
    other.give_up()
    assert held.take(ANNA) == Taken("r1")
