"""Whatever a host is asked: up to the point without return, what changes what runs has an undo."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.demo import COMPOSE, World, wanted, world

from slipway.act.deploy import deploy
from slipway.operate.down import down
from slipway.operate.restart import restart
from slipway.operate.rollback import roll_back
from slipway.operate.scale import scale
from slipway.runner.carry import changes
from slipway.runner.run import one_way

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
