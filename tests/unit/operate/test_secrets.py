"""The secrets of a host: listed without a value, and one shown to who asks for it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.unit.demo import COMPOSE, World, wanted, world

from slipway.act.deploy import deploy
from slipway.errors import ConfigError, DeployError
from slipway.operate.secrets import Held, listed, listed_text, shown
from slipway.secret import Secret


def deployed(*values: str, compose: str = COMPOSE) -> World:
    """A host on which each value of the password was deployed in turn."""
    made = world()
    for value in values:
        deploy(
            replace(wanted(compose), supplied={"db_password": Secret(value)}), made.doors, "token"
        )
        made.clock.seconds += 60
    made.host.files.update({f"/pool/demo/{name}": data for name, data in made.folder.files.items()})
    return made


def test_versions_and_readers_are_listed_without_a_value() -> None:
    """Every kept version, the live one, and the services that are given it."""
    found = listed(deployed("first", "second").doors)
    assert found == (Held("acl", 2, (1, 2), ()), Held("db_password", 2, (1, 2), ("db",)))
    said = listed_text(found) + "\n" + json.dumps([one.to_json() for one in found])
    assert "first" not in said
    assert "second" not in said
    row = next(line for line in said.splitlines() if line.startswith("db_password"))
    assert row.split() == ["db_password", "2", "1,", "2", "db"]


def test_the_live_version_is_shown_and_another_by_its_number() -> None:
    """What the services have now; an older one as long as it is kept."""
    doors = deployed("first", "second").doors
    assert shown(doors, "db_password").value == Secret("second")
    assert shown(doors, "db_password", 1).value == Secret("first")
    assert shown(doors, "db_password").to_json() == {"secret": "db_password", "value": "second"}


def test_what_is_not_there_is_said_with_what_is() -> None:
    """Names and numbers, never values."""
    doors = deployed("first").doors
    with pytest.raises(ConfigError, match="has no secret db_pasword") as caught:
        shown(doors, "db_pasword")
    assert "acl, db_password" in str(caught.value.hint)
    with pytest.raises(ConfigError, match="has no version 7 of acl") as caught:
        shown(doors, "acl", 7)
    assert "with one of: 1" in str(caught.value.hint)


def test_who_takes_it_while_it_runs_reads_it() -> None:
    """Though the Compose file names a folder in its place."""
    taking = COMPOSE.replace("{ role: db }", "{ role: db, reload: [take] }")
    found = {one.name: one.readers for one in listed(deployed("a", compose=taking).doors)}
    assert found["db_password"] == ("db",)


def test_one_that_the_live_release_does_not_use_wants_a_number() -> None:
    """It is of an earlier release, and stays as long as that is kept."""
    made = deployed("first")
    made.folder.files["secrets/old/3"] = b"left"
    assert Held("old", None, (3,), ()) in listed(made.doors)
    assert "old          -" in listed_text(listed(made.doors))
    with pytest.raises(ConfigError, match="the live release does not use old"):
        shown(made.doors, "old")
    assert shown(made.doors, "old", 3).value == Secret("left")


def test_nothing_deployed_has_no_secrets() -> None:
    """As everywhere: said, with the next command."""
    with pytest.raises(DeployError, match="nothing is deployed"):
        listed(world().doors)


def test_version_0_is_not_the_live_one() -> None:
    """A number that was given is looked for, whatever it is; its value would be another's."""
    with pytest.raises(ConfigError, match="has no version 0 of db_password"):
        shown(deployed("first").doors, "db_password", 0)
