"""A service that takes secrets while it runs has them in a folder that changes under it."""

from __future__ import annotations

import json

import pytest
from tests.unit.demo import APP, COMPOSE, wanted

from slipway.errors import ConfigError
from slipway.stack.model import Reload
from slipway.stack.render import render

TAKING = COMPOSE.replace("x-slipway: { role: db }", "x-slipway: { role: db, reload: [take, them] }")


def rendered(compose: str, version: int) -> tuple[dict[str, object], dict[str, str]]:
    """The definition of db, and all hashes, with a version of its secret."""
    made = wanted(compose)
    found = render(
        made.stack,
        images={one.role: one.reference for one in made.images},
        files=made.files,
        secrets={"db_password": version, "acl": version},
        app_dir=APP,
    )
    return json.loads(found.text)["services"]["db"], found.hashes


def test_another_version_is_the_same_service() -> None:
    """Its folder is mounted in the place of the files; without it each version is another one."""
    service, hashes = rendered(TAKING, 1)
    assert "secrets" not in service
    assert service["volumes"] == [
        {
            "type": "bind",
            "source": f"{APP}/handed/db",
            "target": "/run/secrets",
            "read_only": True,
            "bind": {"create_host_path": False},
        }
    ]
    assert rendered(TAKING, 2)[1] == hashes
    assert rendered(COMPOSE, 2)[1]["db"] != rendered(COMPOSE, 1)[1]["db"]


def test_what_its_folder_holds() -> None:
    """Files by the names that the service knows them by."""
    named = TAKING.replace("secrets: [db_password]", "secrets: [{source: db_password, target: pw}]")
    whole = named.replace("target: pw", "target: /run/secrets/pw")
    for compose in (named, whole):
        (one,) = wanted(compose).stack.reloads
        assert one == Reload("db", ("take", "them"), {"pw": "db_password"})
    assert wanted(TAKING).stack.reloads[0].files == {"db_password": "db_password"}
    assert wanted(COMPOSE).stack.reloads == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    secrets: [db_password]\n", "", "has no secrets to take anew"),
        (
            "secrets: [db_password]",
            "secrets: [{source: db_password, target: /etc/pw}]",
            "should be a file in /run/secrets",
        ),
        (
            "secrets: [db_password]",
            "secrets: [{source: db_password, target: a/b}]",
            "should be a file in /run/secrets",
        ),
        (
            "secrets: [db_password]",
            "secrets: [{source: db_password, target: pw.before}]",
            "not ending with .before",
        ),
        (
            "    stop_grace_period: 20s\n",
            "    profiles: [later]\n",
            "has a profile: it doesn't stand",
        ),
        ("reload: [take, them]", "reload: take", "reload"),
    ],
)
def test_what_can_not_be_is_refused(old: str, new: str, said: str) -> None:
    """By its place in the files."""
    assert old in TAKING
    with pytest.raises(ConfigError) as caught:
        wanted(TAKING.replace(old, new))
    assert any("services.db" in one and said in one for one in caught.value.details)
