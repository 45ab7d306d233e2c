"""What a host lacks before a first deploy, and who makes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.hosts.checkup import FolderState
from slipway.hosts.middleware import NasRelease
from slipway.hosts.site import NasSite, Site
from slipway.plan.setup import SUDO, Call, Thing, Wanted, plan_setup

APP = "/mnt/tank/apps/demo"
WANTED = Wanted(APP, sudo=True)
BARE = NasSite(NasRelease((25, 10), "25.10.6"), ("tank",), user_id=7)
NAS = Site("truenas_admin", 950, folders={APP: None, f"{APP}/data": None}, nas=BARE)
SERVER = Site("anna", 1000, sudo=True, docker="29.0", compose="2.40", writable=True,
              folders={"/srv/demo": None})  # fmt: skip
SRV = Wanted("/srv/demo", sudo=True)


def nas(**more: Any) -> Site:
    """A bare NAS that is otherwise."""
    return replace(NAS, nas=replace(BARE, **more))


def states(things: tuple[Thing, ...]) -> dict[str, str]:
    """Of each thing its state."""
    return {one.name: one.state for one in things}


def one(things: tuple[Thing, ...], name: str) -> Thing:
    """The thing of that name."""
    return next(thing for thing in things if thing.name == name)


def test_a_bare_nas() -> None:
    """Everything is made, in an order in which it can be: the pool before datasets."""
    things = plan_setup(WANTED, NAS)
    assert [(thing.name, thing.state) for thing in things] == [
        ("login", "there"), ("release", "there"), ("sudo", "make"), ("ssh", "make"),
        ("pool", "make"), ("dataset", "make"), ("data", "make"),
    ]  # fmt: skip
    made = {"share_type": "GENERIC", "acltype": "POSIX", "aclmode": "DISCARD",
            "create_ancestors": True}  # fmt: skip
    assert [call for thing in things for call in thing.calls] == [
        Call("user.update", (7, {"sudo_commands_nopasswd": list(SUDO)})),
        Call("service.update", ("ssh", {"enable": True})),
        Call("docker.update", ({"pool": "tank"},), job=True),
        Call("pool.dataset.create", ({"name": "tank/apps/demo", **made},)),
        Call("pool.dataset.create", ({"name": "tank/apps/demo/data", **made},)),
        Call("filesystem.chown", ({"path": f"{APP}/data", "uid": 568, "gid": 568},), job=True),
    ]


def test_a_nas_that_has_everything() -> None:
    """There is nothing to do."""
    datasets = {"tank/apps/demo": "POSIX DISCARD", "tank/apps/demo/data": "NFSV4 PASSTHROUGH"}
    site = replace(nas(pool="tank", datasets=datasets, ssh_starts=True), sudo=True)
    assert set(states(plan_setup(WANTED, site)).values()) == {"there"}
    root = Wanted(APP, sudo=False)
    assert set(states(plan_setup(root, replace(site, uid=0, sudo=False))).values()) == {"there"}


@pytest.mark.parametrize(
    ("site", "name", "says"),
    [
        (nas(release=NasRelease((24, 4), "24.04.2")), "release", "24.10 is the oldest"),
        (nas(release=None), "release", "nothing of its release"),
        (nas(refused="no role"), "rights", "may not ask everything: no role"),
        (nas(pools=()), "pool", "there is no pool"),
        (nas(pools=("dozer", "tank")), "pool", "there are dozer, tank"),
        (nas(pools=("dozer",)), "dataset", "there is no pool tank"),
        (nas(user_id=None), "sudo", "no user of TrueNAS' own"),
        (nas(nopasswd=("ALL",)), "sudo", "sudo refuses sh"),
        (nas(datasets={"tank/apps/demo": "NFSV4 RESTRICTED"}), "dataset", "it is left as it is"),
        (nas(datasets={"tank/apps/demo/data": "NFSV4 RESTRICTED"}), "data", "restricted mode"),
    ],
)
def test_what_a_person_does_on_a_nas(site: Site, name: str, says: str) -> None:
    """It is said what is wrong and what to do; nothing of it is made."""
    thing = one(plan_setup(WANTED, site), name)
    assert (thing.state, thing.calls) == ("person", ())
    assert says in thing.what and thing.how


def test_rules_that_are_there_stay() -> None:
    """The list of sudo's commands is completed, never shortened."""
    thing = one(plan_setup(WANTED, nas(nopasswd=("/usr/bin/rsync", "/usr/bin/sh"))), "sudo")
    assert thing.calls[0].args[1] == {
        "sudo_commands_nopasswd": ["/usr/bin/rsync", "/usr/bin/sh", "/usr/bin/docker"]
    }


def test_a_folder_in_place_of_a_dataset_is_left() -> None:
    """What deploys put there is nobody's to move."""
    site = replace(NAS, folders={APP: FolderState(0, 0, 0o755), f"{APP}/data": None})
    assert one(plan_setup(WANTED, site), "dataset").state == "there"


@pytest.mark.parametrize("app_dir", ["/srv/demo", "/mnt/tank"])
def test_an_app_dir_outside_of_datasets(app_dir: str) -> None:
    """TrueNAS replaces what is in no pool; a pool's root is no application's."""
    things = plan_setup(Wanted(app_dir, sudo=True), NAS)
    assert one(things, "dataset").state == "person"
    assert "data" not in states(things)


def test_a_nas_without_sudo() -> None:
    """Nobody but root may use Docker there."""
    thing = one(plan_setup(Wanted(APP, sudo=False), NAS), "sudo")
    assert "sudo = true" in thing.how


def test_a_server() -> None:
    """Its folder is made, as root where sudo works."""
    things = plan_setup(SRV, SERVER)
    assert states(things) == {"login": "there", "sudo": "there", "docker": "there",
                              "compose": "there", "folder": "make"}  # fmt: skip
    assert one(things, "folder").command == ("mkdir", "-p", "-m", "0755", "--", "/srv/demo")
    there = replace(SERVER, folders={"/srv/demo": FolderState(0, 0, 0o755)})
    assert set(states(plan_setup(SRV, there)).values()) == {"there"}


@pytest.mark.parametrize(
    ("change", "name", "how"),
    [
        ({"sudo": False}, "sudo", "/etc/sudoers.d/slipway"),
        ({"docker": "", "docker_missing": True}, "docker", "engine/install"),
        ({"docker": "", "docker_said": "Cannot connect"}, "docker", "systemctl enable"),
        ({"docker": "", "docker_said": "Permission denied"}, "docker", "usermod -aG docker anna"),
        ({"compose": ""}, "compose", "compose/install"),
        ({"writable": False}, "folder", "install -d -o anna"),
        ({"folders": {"/srv/demo": FolderState(0, 0, 0o644, folder=False)}}, "folder", "another"),
        ({"folders": {"/srv/demo": FolderState(0, 0, 0o755)}, "writable": False}, "folder",
         "install -d -o anna"),
    ],
)  # fmt: skip
def test_what_a_person_does_on_a_server(change: dict[str, Any], name: str, how: str) -> None:
    """It is said with a command to paste."""
    thing = one(plan_setup(SRV, replace(SERVER, **change)), name)
    assert thing.state == "person" and how in thing.how


def test_all_at_once() -> None:
    """One trouble hides no other."""
    site = replace(SERVER, sudo=False, compose="", docker="", docker_said="no", writable=False)
    found = states(plan_setup(SRV, site))
    assert [name for name, state in found.items() if state == "person"] == [
        "sudo", "docker", "compose", "folder",
    ]  # fmt: skip


@given(
    st.builds(
        Site,
        user=st.just("u"),
        uid=st.sampled_from([-1, 0, 950]),
        sudo=st.booleans(),
        docker=st.sampled_from(["", "29"]),
        compose=st.sampled_from(["", "2"]),
        writable=st.booleans(),
        folders=st.just({}),
        nas=st.none()
        | st.builds(
            NasSite,
            release=st.sampled_from([None, NasRelease((25, 4), "25.04.1")]),
            pools=st.sampled_from([(), ("tank",), ("a", "tank")]),
            pool=st.sampled_from(["", "tank"]),
            datasets=st.sampled_from([{}, {"tank/apps/demo": "NFSV4 RESTRICTED"}]),
            user_id=st.none() | st.integers(),
            ssh_starts=st.booleans(),
        ),
    ),
    st.booleans(),
)
def test_each_thing_says_what_its_state_needs(site: Site, sudo: bool) -> None:
    """What is made has its way, what a person does its words, what is there neither."""
    for thing in plan_setup(Wanted(APP, sudo), site):
        assert bool(thing.calls or thing.command) == (thing.state == "make")
        assert bool(thing.how) == (thing.state == "person")
