"""A deploy by a registry on a host in memory: what is asked first, and where a login goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.unit.act.runs import first, journal
from tests.unit.demo import World, wanted, world

from slipway.act.deploy import deploy
from slipway.act.outcome import Outcome
from slipway.errors import DeployError, RegistryError
from slipway.images.registry.address import Registry
from slipway.images.values import Image
from slipway.runner.login import Login
from slipway.secret import Secret

LAN = Registry("lan:5000", "home")
CANARY = "canary-0451"


def pulled(made: World, web: str = "1", login: Secret | None = None) -> tuple[Outcome, list[str]]:
    """Deploy from a registry that has all; the outcome, and the references that were asked for."""
    asked: list[str] = []
    new = replace(wanted(web=web), registry=LAN)
    made.engine.offered |= {LAN.pinned(one): one for one in new.images}
    made.clock.seconds += 60

    def ready(images: Sequence[Image]) -> Secret | None:
        asked.extend(one.reference for one in images)
        return login

    return deploy(new, made.doors, "token", origin=ready).outcome, asked


def test_a_host_pulls_what_it_lacks() -> None:
    """Nothing is sent; the second time only the changed image, and then nothing at all."""
    made = world()
    outcome, asked = pulled(made)
    assert outcome.outcome == "deployed" and outcome.bytes_sent == 0
    assert [one.name for one in outcome.steps][:5] == [
        "plan", "preflight", "secrets", "files", "pull"
    ]  # fmt: skip
    assert made.engine.loads == [] and len(made.engine.pulls) == len(asked) == 2
    made.engine.pulls.clear()
    _, asked = pulled(made, web="2")
    assert asked == [one for _, one, _ in made.engine.pulls]
    assert asked == [wanted(web="2").images[0].reference]
    made.engine.pulls.clear()
    outcome, asked = pulled(made, web="2")
    assert outcome.outcome == "unchanged" and not asked and not made.engine.pulls


def test_a_login_reaches_docker_and_nothing_else() -> None:
    """It is in the request as that is sent, and in no file, line, event or word to a person."""
    made = world()
    pulled(made, login=Secret(CANARY))
    assert {login for _, _, login in made.engine.pulls} == {Login(CANARY)}
    request = json.dumps(made.runner.requests[-1])
    assert request.count(CANARY) == 1
    kept = b"".join(made.folder.files.values()).decode("utf-8", "replace")
    seen = json.dumps([journal(made), list(made.runner._events)]) + made.talk.getvalue() + kept
    assert "pull" in seen and CANARY not in seen
    pulled(made, web="2")
    assert made.engine.pulls[-1][2] is None
    assert "login" not in made.runner.requests[-1]


def test_what_a_registry_lacks_is_told_before_anything_is_written() -> None:
    """The host is not asked to begin."""
    made = world()

    def lacks(images: Sequence[Image]) -> Secret | None:
        raise RegistryError("it lacks web", hint="push")

    new = replace(wanted(), registry=LAN)
    with pytest.raises(RegistryError, match="it lacks web") as caught:
        deploy(new, made.doors, "token", origin=lacks)
    assert caught.value.exit_code == 4 and caught.value.stage == "preflight"
    assert not made.runner.requests and not made.engine.pulls and not made.folder.files


def test_what_cannot_be_pulled_changes_nothing_that_runs() -> None:
    """The release before serves; the message says where from and why."""
    made = world()
    before = first(made)
    commands = list(made.engine.commands)
    running = list(made.engine.running)
    new = replace(wanted(web="2"), registry=LAN)
    made.clock.seconds += 60
    with pytest.raises(DeployError, match="can't be pulled from lan:5000") as caught:
        deploy(new, made.doors, "token", origin=lambda images: None)
    assert caught.value.exit_code == 5 and caught.value.stage == "pull"
    assert "nothing that runs was changed" in caught.value.message
    assert made.folder.live == before.release
    assert (made.engine.commands, made.engine.running) == (commands, running)


def test_a_registry_is_not_asked_for_nothing() -> None:
    """Another configuration is deployed though the registry is gone."""
    made = world()
    pulled(made)
    new = replace(wanted(edge=b"listen 81\n"), registry=LAN)
    made.clock.seconds += 60

    def gone(images: Sequence[Image]) -> Secret | None:
        raise AssertionError(images)

    outcome = deploy(new, made.doors, "token", origin=gone).outcome
    assert outcome.outcome == "deployed" and "pull" not in [one.name for one in outcome.steps]
