"""What host.setup makes on a TrueNAS is what each release takes."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.nas.bench import Nas

from slipway.hosts.nas import datasets_call
from slipway.hosts.site import NasSite, Site, parse_nas_site
from slipway.plan.setup import SUDO, Thing, Wanted, plan_setup

APP = "/mnt/tank/apps/demo"
WANTED = Wanted(APP, sudo=True)


def _seen(nas: Nas) -> NasSite:
    """As a host is asked; the one who logs in is an account of this machine."""
    return parse_nas_site([
        nas.call("system.version"),
        nas.call("docker.config"),
        [one for one in nas.call("pool.query") if one["name"] == "tank"],
        nas.call(*datasets_call([APP, f"{APP}/data"])),
        nas.call("user.query", [["username", "=", "root"]]),
        nas.call("service.query", [["service", "=", "ssh"]]),
    ])  # fmt: skip


def _things(nas: Nas, *, sudo: bool = False) -> tuple[Thing, ...]:
    return plan_setup(WANTED, Site("root", 950, sudo=sudo, nas=_seen(nas)))


def _here(nas: Nas, args: tuple[object, ...]) -> Any:
    """Arguments with paths of this machine, which may have no Docker."""
    text = json.dumps(args).replace(APP, str(nas.pool / "apps/demo"))
    return json.loads(text.replace(SUDO[1], "/usr/bin/env"))


def test_a_bare_nas_is_prepared_once(nas: Nas) -> None:
    """Each call is taken; after them nothing is left to make."""
    nas.call("docker.update", {"pool": None}, job=True)
    things = _things(nas)
    assert [one.name for one in things if one.state == "make"] == [
        "sudo", "ssh", "pool", "dataset", "data",
    ]  # fmt: skip
    for thing in things:
        for call in thing.calls:
            nas.call(call.method, *_here(nas, call.args), job=call.job)
    assert {one.state for one in _things(nas, sudo=True)} == {"there"}
    data = nas.pool / "apps/demo/data"
    assert (data.stat().st_uid, data.stat().st_gid) == (568, 568)
    assert f"NOPASSWD: {SUDO[0]}, /usr/bin/env" in nas.sudoers.read_text()
    assert nas.call("docker.config")["pool"] == "tank"
    rows = nas.call("pool.dataset.query", [["id", "^", "tank/apps/demo"]])
    assert {row["acltype"]["value"] for row in rows} == {"POSIX"}


def test_what_is_there_otherwise_is_left(nas2510: Nas) -> None:
    """A dataset with NFSv4 permissions in restricted mode is a person's to decide about."""
    made = {"name": "tank/apps/demo", "share_type": "SMB", "create_ancestors": True}
    nas2510.call("pool.dataset.create", made)
    found = {one.name: one for one in _things(nas2510)}
    assert (found["dataset"].state, found["dataset"].calls) == ("person", ())
    assert "left as it is" in found["dataset"].what
