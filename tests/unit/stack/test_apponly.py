"""The stack as TrueNAS alone can run it: its migration is a service that ends."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.composing import stack as read_stack
from tests.unit.demo import APP, COMPOSE, wanted

from slipway.errors import ConfigError
from slipway.plan.expected import expected
from slipway.stack.apponly import app_only
from slipway.stack.model import Migration, Stack, own_variables
from slipway.stack.project import is_app, project_of

RICH = (
    COMPOSE.replace("    profiles: [job]\n", """    profiles: [job]
    restart: always
    environment: { URL: x }
    secrets: [db_password]
    healthcheck: { test: [CMD, check] }
    deploy: { replicas: 2, resources: { limits: { memory: 64m } } }
    ports: [{ target: 81, published: "81", protocol: tcp }]
""")
)  # fmt: skip


def stack(text: str = COMPOSE) -> Stack:
    """What Compose files make."""
    own = own_variables("demo", ("web", "db"), app_dir=APP)
    return read_stack([("docker-compose.yml", text)], own)


def test_the_migration_is_a_service_that_those_wait_for_who_use_the_database() -> None:
    """It is what the command would be run in, and has nothing of a service that stands."""
    before = stack(RICH)
    made = app_only(before)
    body = made.services["migration"]
    assert made.standing == ("web", "db", "migration")
    assert body["command"] == ["migrate"]
    assert body["restart"] == "no"
    assert not {"profiles", "container_name", "healthcheck", "ports"} & set(body)
    assert body["environment"] == {"URL": "x"}
    assert [one["source"] for one in body["secrets"]] == ["db_password"]
    assert set(body["deploy"]) == {"resources"}
    assert made.services["web"]["depends_on"]["migration"] == {
        "condition": "service_completed_successfully",
        "required": True,
    }
    assert "migration" not in made.services["db"].get("depends_on", {})
    assert made.services["job"] == before.services["job"]
    assert made.ends("migration")
    assert made.roles["migration"] == "web"
    assert made.migration == Migration("migration", ("migrate",))
    assert made.dependencies("migration") == ("db",)
    assert made.mode == "app-only"
    (wait,) = expected(made, ["migration"])
    assert (wait.ends, wait.containers) == (True, 1)
    assert before == stack(RICH)  # the stack that was given is none other afterwards


def test_a_migration_that_nobody_would_wait_for_is_refused() -> None:
    """It would run beside what uses the database, and count as a service that ended."""
    before = stack()
    alone = {**before.services[before.migration.service], "depends_on": {}}
    services = {**before.services, before.migration.service: alone}
    with pytest.raises(ConfigError) as caught:
        app_only(replace(before, document={**before.document, "services": services}))
    assert f"services.{before.migration.service}.depends_on" in str(caught.value.details)


def test_a_stack_without_a_migration_gets_no_service() -> None:
    """And one that has a service of that name is refused."""
    plain = COMPOSE.replace("  migrate: { service: job, command: [migrate], "
                            "plan: [migrate, --plan] }\n", "")  # fmt: skip
    assert app_only(stack(plain)).standing == ("web", "db")
    other = "  migration: { image: x }\n"
    taken = COMPOSE.replace("  db:\n    x-slipway", f"{other}  db:\n    x-slipway")
    with pytest.raises(ConfigError) as caught:
        app_only(stack(taken))
    assert "services.migration" in str(caught.value.details)


def test_secrets_are_files_that_a_new_container_reads() -> None:
    """No service can be told of a change while it runs."""
    text = COMPOSE.replace("    secrets: [db_password]\n", "    secrets: [db_password]\n").replace(
        "x-slipway: { role: db }", "x-slipway: { role: db, reload: [take] }"
    )
    before = stack(text)
    assert before.reloads
    made = app_only(before)
    assert made.reloads == ()
    assert json.dumps(made.services["db"]) == json.dumps(before.services["db"])


def test_the_project_is_the_apps() -> None:
    """So that a change between the two modes of an app changes no project."""
    assert {mode: project_of("demo", mode) for mode in ("compose", "app", "app-only")} == {
        "compose": "demo", "app": "ix-demo", "app-only": "ix-demo",
    }  # fmt: skip
    assert [is_app(mode) for mode in ("compose", "app", "app-only")] == [False, True, True]
    assert wanted().stack.mode == "compose"
