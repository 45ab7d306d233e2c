"""A service started anew: beside the old one where that can be, and as it was when it fails."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.demo import COMPOSE, World, wanted, world

from slipway.act.deploy import deploy
from slipway.errors import ConfigError, DeployError
from slipway.operate.restart import restart
from slipway.plan.actions import Roll
from slipway.plan.restart import restart as planned
from slipway.plan.restart import steps
from slipway.runner.containers import Container
from slipway.runner.edge import Server
from slipway.runner.roll import Rolling, parts

TEXT = COMPOSE.replace("x-slipway: { role: db }", "x-slipway: { role: db, roll: beside }")


def deployed() -> World:
    """A host with a stack whose db can be rolled and whose web can't."""
    made = world()
    deploy(wanted(TEXT), made.doors, "token")
    files = {f"/pool/demo/{path}": data for path, data in made.folder.files.items()}
    made.host.files.update(files)
    return made


def ids(made: World, service: str) -> list[str]:
    """A service's containers."""
    return [one.id for one in made.engine.running if one.service == service]


def test_what_rolls_gets_a_new_container_beside_the_old() -> None:
    """Of the same definition; nothing else is touched, and the old one ends."""
    made = deployed()
    web, db = ids(made, "web"), ids(made, "db")
    made.engine.commands.clear()
    outcome = restart(made.doors, "me", "token", "db").outcome
    assert (outcome.outcome, outcome.failed_over) == ("restarted", ("db",))
    assert ids(made, "web") == web
    assert len(ids(made, "db")) == 1
    assert ids(made, "db") != db
    assert [("--no-recreate" in words, words[-1]) for words in made.engine.commands] == [
        (True, "db")
    ]
    assert deploy(wanted(TEXT), made.doors, "token").outcome.outcome == "unchanged"


def test_what_does_not_roll_is_stopped_first_and_says_so() -> None:
    """The plan's downtime is told, and Compose makes the container anew alone."""
    made = deployed()
    web = ids(made, "web")
    made.engine.commands.clear()
    outcome = restart(made.doors, "me", "token", "web").outcome
    assert outcome.predicted_s == {"web": 3.0}
    assert "web is stopped first: about 3 s" in made.talk.getvalue()
    assert ids(made, "web") != web
    removed, started = made.engine.commands
    assert removed == ("rm", "--stop", "--force", "web")
    assert started[-2:] == ("--no-recreate", "web")


def test_a_new_container_that_is_not_well_goes_again() -> None:
    """The old one was never touched."""
    made = deployed()
    db, new = ids(made, "db"), made.engine._new
    made.engine._new = lambda *words: replace(new(*words), health="unhealthy")  # type: ignore[method-assign]
    with pytest.raises(DeployError, match="db is unhealthy") as caught:
        restart(made.doors, "me", "token", "db")
    assert caught.value.exit_code == 5
    assert ids(made, "db") == db


def test_one_that_is_ill_has_no_gap_to_avoid() -> None:
    """A rolled service of which no container is well is stopped first."""
    made = deployed()
    made.engine.crash("db", health="unhealthy")
    made.engine.commands.clear()
    restart(made.doors, "me", "token", "db")
    assert made.engine.commands[0][0] == "rm"


def test_an_unknown_service_is_refused() -> None:
    """With those there are; nothing is asked of the host."""
    made = deployed()
    with pytest.raises(ConfigError, match="there is no service nope"):
        restart(made.doors, "me", "token", "nope")


def test_steps_believe_what_was_seen() -> None:
    """The first that touches a container is refused when the host changed meanwhile."""
    made = deployed()
    live = made.folder.read().records.live
    assert live is not None
    made.engine.crash("db", image_id="sha256:config-db-1")
    from slipway.operate.standing import compose_of, live_draft, observe

    seen = observe(made.doors, "me", wait=False)
    draft = planned(live_draft(made.doors, "me", seen, compose_of(made.doors, live)), "db")
    switch, retire = steps(draft)
    assert switch.belief is not None
    assert switch.belief.containers
    assert retire.belief is None
    (roll,) = switch.do
    assert isinstance(roll, Roll)
    assert roll.services[0].old == tuple(ids(made, "db"))


def server(place: int) -> Server:
    """One of the edge's."""
    return Server("api", "abcdefg"[place - 1], place, "10.0.0.1:8000", "UP", 0)


def test_the_edge_needs_places_for_old_and_new() -> None:
    """Two containers and their successors need four, and one more for what still ends."""
    one = Rolling("api", 2, "c", (), 5, 5, True)
    assert one.lacks_places([server(n) for n in range(1, 6)]) == ""
    said = one.lacks_places([server(n) for n in range(1, 4)])
    assert "need 5 servers" in said
    assert "has 3: at most 1" in said
    assert replace(one, behind=False).lacks_places([]) == ""
    assert replace(one, containers=1).lacks_places([server(1)]) == ""


def test_named_containers_are_right_or_not() -> None:
    """Those that are old by name are, whatever fits; where some are kept, no other is right."""
    theirs = [Container("api", name, name, "i", "running", config="c") for name in ("x", "y")]
    one = Rolling("api", 1, "c", (), 5, 5, True)
    assert [c.id for c in parts(replace(one, old=("x",)), theirs).right] == ["y"]
    assert [c.id for c in parts(replace(one, kept=("y",)), theirs).right] == ["y"]
    assert Rolling.from_json(replace(one, old=("x",), kept=("y",)).to_json()).kept == ("y",)
    old = {key: value for key, value in one.to_json().items() if key not in ("old", "kept")}
    assert Rolling.from_json(old) == one
