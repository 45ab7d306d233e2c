"""A deploy's secrets: made once, renewed when they change, and shown nowhere."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.unit.act.runs import first, run
from tests.unit.demo import COMPOSE, URL, wanted, world

from slipway.act.deploy import deploy, make_draft
from slipway.errors import ConfigError, DeployError
from slipway.plan.steps import steps
from slipway.secret import Secret


def test_secrets_are_made_once_and_kept() -> None:
    """Generated secrets are the same files after any number of deploys, closed to others."""
    made = world()
    first(made)
    path = "secrets/db_password/1"
    kept = made.folder.files[path]
    assert made.folder.modes[path] == 0o400
    assert len(kept) == 16
    run(made, web="2")
    run(made, db="2")
    assert made.folder.files[path] == kept
    assert not [name for name in made.folder.files if name.endswith("db_password/2")]


def test_supplied_secret_that_changed_is_a_new_version() -> None:
    """A new value from the operator is version 2; the service that reads it is recreated."""
    made = world()
    first(made)
    new = replace(wanted(), supplied={"db_password": Secret("canary-value")})
    outcome = deploy(new, made.doors, "token").outcome
    assert made.folder.files["secrets/db_password/2"] == b"canary-value"
    assert made.folder.files["secrets/acl/2"].startswith(b"user default on #")
    assert outcome.containers_touched == 1
    again = deploy(new, made.doors, "token").outcome
    assert again.outcome == "unchanged"


def test_secret_values_are_nowhere_but_in_their_files() -> None:
    """No log line, command, error, record or journal holds a secret."""
    made = world()
    canary = "canary-5f2c"
    asked = replace(wanted(), supplied={"db_password": Secret(canary)})
    deploy(asked, made.doors, "token")
    made.engine.sick.add("sha256:config-web-2")
    with pytest.raises(DeployError) as caught:
        deploy(replace(wanted(web="2"), supplied=asked.supplied), made.doors, "token")
    shown = [
        made.talk.getvalue(),
        repr(made.host.calls),
        repr(made.host.inputs),
        repr(made.engine.commands),
        repr((made.shell.calls, made.shell.environments, made.shell.inputs)),
        repr(caught.value.to_json()),
        repr(caught.value.details),
        repr(asked),
        repr(made.folder.written),
        json.dumps([step.to_json() for step in steps(make_draft(asked, made.doors))]),
    ]
    shown += [
        data.decode()
        for path, data in made.folder.files.items()
        if not path.startswith("secrets/db_password/")
    ]
    assert not [text for text in shown if canary in text]


def test_missing_secret_is_a_configuration_error() -> None:
    """A secret that nobody supplied and nothing generates is named before anything is done."""
    made = world()
    text = COMPOSE.replace("{ generate: 16 }", "{}")
    with pytest.raises(ConfigError) as caught:
        deploy(wanted(text), made.doors, "token")
    assert any("db_password" in line for line in caught.value.details)
    assert made.folder.files == {}


def test_releases_with_and_without_a_secret_follow_each_other() -> None:
    """A secret that the release before has not heard of neither stops the way there nor back."""
    made = world()
    with_token = (
        COMPOSE.replace("TOKEN_FILE: db_password", "TOKEN_FILE: token")
        .replace("acl: { derive", "token: { generate: 8 }\n    acl: { derive")
        .replace("    configs: [edge]", "    configs: [edge]\n    secrets: [token]")
        .replace("\nsecrets:\n", '\nsecrets:\n  token: { file: "${DEMO_SECRETS:?}/token" }\n')
    )
    before = first(made)
    made.shell.on("smoke", URL, reply=1)
    with pytest.raises(DeployError, match=f"{before.release} is serving again"):
        deploy(wanted(with_token), made.doors, "token")
    made.shell.on("smoke", URL)
    made.clock.seconds += 60
    token = made.folder.files["secrets/token/1"]
    assert deploy(wanted(with_token), made.doors, "token").outcome.outcome == "deployed"
    assert run(made).outcome == "deployed"
    made.clock.seconds += 60
    assert deploy(wanted(with_token), made.doors, "token").outcome.outcome == "deployed"
    assert made.folder.files["secrets/token/1"] == token
