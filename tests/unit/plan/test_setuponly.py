"""What a TrueNAS lacks whose login user has no right to Docker, all of it for a person to make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slipway.hosts.checkup import FolderState
from slipway.hosts.middleware import NasRelease
from slipway.hosts.roles import lacking, roles_of
from slipway.hosts.site import NasSite, Site
from slipway.plan.needs import ROLES, SNAPSHOT_ROLES
from slipway.plan.setup import Thing, Wanted
from slipway.plan.setuponly import plan_only

APP = "/mnt/tank/apps/demo"
HELD = frozenset({*ROLES, *SNAPSHOT_ROLES})
FOLDER = FolderState(3000, 3000, 0o755)
NAS = NasSite(NasRelease((25, 10), "25.10.6"), pool="tank",
              datasets={"tank/apps/demo/data": "POSIX DISCARD"})  # fmt: skip
SITE = Site("deployer", 3000, writable=True, folders={APP: FOLDER, f"{APP}/data": FOLDER}, nas=NAS)


def planned(site: Site = SITE, held: frozenset[str] = HELD, *, snapshots: bool = True) -> Any:
    """Of each thing its state."""
    things = plan_only(Wanted(APP, sudo=False), site, held, snapshots=snapshots)
    assert not any(one.calls or one.command for one in things)
    return {one.name: one for one in things}


def test_a_nas_that_has_everything() -> None:
    """There is nothing to do, and nothing that only an administrator may ask was needed."""
    things = planned(replace(SITE, nas=replace(NAS, refused="no role")))
    assert {one.state for one in things.values()} == {"there"}
    assert list(things) == ["login", "release", "roles", "pool", "folder", "data"]


@pytest.mark.parametrize(
    ("site", "name", "says"),
    [
        (replace(SITE, nas=None), "release", "no TrueNAS"),
        (replace(SITE, nas=replace(NAS, release=None)), "release", "24.10 is the oldest"),
        (replace(SITE, nas=replace(NAS, pool="")), "pool", "no pool is chosen"),
        (replace(SITE, writable=False), "folder", "deployer may not write"),
        (replace(SITE, folders={}), "folder", f"{APP} is not there"),
        (replace(SITE, folders={APP: FOLDER}, nas=replace(NAS, datasets={})), "data", "no dataset"),
    ],
)
def test_what_a_person_does(site: Site, name: str, says: str) -> None:
    """With the place in the web interface."""
    found: Thing = planned(site)[name]
    assert found.state == "person"
    assert says in found.what
    assert found.how


def test_data_in_a_folder_work_without_snapshots() -> None:
    """It is left as it is."""
    assert planned(replace(SITE, nas=replace(NAS, datasets={})))["data"].state == "there"


def test_roles_that_are_missing_are_named() -> None:
    """Those for snapshots only where these are wanted."""
    held = frozenset(ROLES)
    assert planned(held=held, snapshots=False)["roles"].state == "there"
    assert planned(held=held)["roles"].what == (
        "deployer lacks DATASET_READ, SNAPSHOT_DELETE, SNAPSHOT_WRITE"
    )


@pytest.mark.parametrize(
    "roles",
    [
        ["A_WRITE", "B_READ"],
        {"A_WRITE", "B_READ"},
        {"$set": ["A_WRITE", "B_READ"]},
        "{'B_READ', 'A_WRITE'}",
    ],
)
def test_roles_in_any_form(roles: object) -> None:
    """A set has none in JSON; what isn't there is none."""
    assert roles_of({"privilege": {"roles": roles}}) == {"A_WRITE", "B_READ"}
    assert roles_of({"privilege": None}) == roles_of(None) == frozenset()


def test_to_write_is_to_read() -> None:
    """And an administrator may do everything."""
    assert lacking(("A_READ", "A_WRITE"), frozenset({"A_WRITE"})) == ()
    assert lacking(("A_READ", "A_WRITE"), frozenset({"READONLY_ADMIN"})) == ("A_WRITE",)
    assert lacking(("A_WRITE",), frozenset({"FULL_ADMIN"})) == ()
