"""Whatever a host is asked: up to the point without return, what changes what runs has an undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.demo import COMPOSE, World, wanted, world

from slipway.act.deploy import deploy
from slipway.operate.down import down
from slipway.operate.restart import restart
from slipway.operate.rollback import roll_back
from slipway.operate.scale import scale
from slipway.runner.carry import changes
from slipway.runner.run import one_way
from slipway.secret import Secret

TEXT = COMPOSE.replace("x-slipway: { role: db }", "x-slipway: { role: db, roll: beside }")


def first(made: World) -> None:
    """What is asked is the first deploy itself."""
    made.runner.requests.append(made.runner.requests[0])


def second(made: World) -> None:
    """Both services get another image."""
    deploy(wanted(TEXT, web="2", db="2"), made.doors, "second")


def back(made: World) -> None:
    """A deploy, and back from it."""
    second(made)
    kept(made)
    roll_back(made.doors, "me", "back")


def kept(made: World) -> None:
    """The host can be asked for its files."""
    made.host.files.update({f"/pool/demo/{path}": data for path, data in made.folder.files.items()})


def test_secrets_that_go_back_are_named() -> None:
    """What was rotated because somebody knows it would be let in with again, in silence."""
    made = world()
    deploy(replace(wanted(TEXT), supplied={"db_password": Secret("one")}), made.doors, "first")
    made.doors.clock.sleep(60)
    new = replace(wanted(TEXT), supplied={"db_password": Secret("two")})
    deploy(new, made.doors, "second")
    kept(made)
    roll_back(made.doors, "me", "back")
    said = "these are what they were before again: acl, db_password; where somebody else knows one"
    assert said in made.talk.getvalue()
    newest = max(one.id for one in made.folder.read().records.releases)
    roll_back(made.doors, "me", "forth", to=newest)
    assert made.talk.getvalue().count("what they were before") == 1


@pytest.mark.parametrize(
    "ask",
    [
        first,
        second,
        back,
        lambda made: restart(made.doors, "me", "token", "db"),
        lambda made: restart(made.doors, "me", "token", "web"),
        lambda made: scale(made.doors, "me", "token", {"db": 3}),
        lambda made: down(made.doors, "me", "token"),
    ],
    ids=["first", "second", "back", "restart rolled", "restart stopped", "scale", "down"],
)
def test_what_changes_what_runs_can_be_undone(ask: Callable[[World], object]) -> None:
    """So that no failure has to say that nobody knows what runs now."""
    made = world()
    deploy(wanted(TEXT), made.doors, "token")
    kept(made)
    made.clock.seconds += 60
    before = len(made.runner.requests)
    ask(made)
    assert len(made.runner.requests) > before
    for request in made.runner.requests[before:]:
        names = [step["name"] for step in request["steps"]]
        until = names[: names.index(request["point"]) + 1]
        assert one_way(request["steps"], until) == []
        assert any(changes(each) for step in request["steps"] for each in step["do"])
