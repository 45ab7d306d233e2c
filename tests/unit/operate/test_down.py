"""The stack ends in an order, says what it interrupts, and comes up again when it is not to end."""

from __future__ import annotations

import json

import pytest
from tests.unit.demo import COMPOSE, wanted, world

from slipway.act.deploy import deploy
from slipway.errors import DeployError
from slipway.operate.down import down
from slipway.plan.ending import Ending, waves
from slipway.stack.model import Edge, Stack


def test_the_edge_first_then_what_nobody_left_needs() -> None:
    """Each with the time it has for what it is at; a circle ends all the same."""
    services: dict[str, dict[str, object]] = {
        "edge": {},
        "api": {"depends_on": {"db": {}}, "stop_grace_period": "30s"},
        "worker": {"depends_on": {"db": {}}, "stop_grace_period": "2m0s"},
        "db": {},
        "job": {"profiles": ["x"], "depends_on": {"db": {}}},
    }
    stack = Stack("demo", "u", {"services": services}, {}, edge=Edge("edge", "/s"))
    assert waves(stack) == (
        (Ending("edge", 10.0),),
        (Ending("api", 30.0), Ending("worker", 120.0)),
        (Ending("db", 10.0),),
    )
    circle: dict[str, dict[str, object]] = {
        "a": {"depends_on": {"b": {}}},
        "b": {"depends_on": {"a": {}}},
    }
    (both,) = waves(Stack("demo", "u", {"services": circle}, {}))
    assert [one.service for one in both] == ["a", "b"]
    assert str(Ending("api", 30.0)) == "api (up to 30 s)"


def test_each_wave_is_told() -> None:
    """A person sees what is being ended and for how long that may take."""
    made = world()
    deploy(wanted(), made.doors, "token")
    made.host.files.update({f"/pool/demo/{name}": data for name, data in made.folder.files.items()})
    made.engine.commands.clear()
    ended = down(made.doors, "me", "token")
    assert [one.service for one in ended.services] == ["web", "db"]
    assert ended.requests is None
    assert made.engine.commands == [("stop", "web"), ("stop", "db"), ("down", "--remove-orphans")]
    talk = made.talk.getvalue()
    assert "end web (up to 10 s)" in talk
    assert "end db (up to 20 s)" in talk


@pytest.mark.parametrize("hangs", [("stop", "web"), ("stop", "db"), ("down", "--remove-orphans")])
def test_one_that_does_not_end_brings_all_up_again(hangs: tuple[str, ...]) -> None:
    """Half a stack is none; nobody is told that nothing was changed."""
    made = world()
    deploy(wanted(COMPOSE), made.doors, "token")
    made.host.files.update({f"/pool/demo/{name}": data for name, data in made.folder.files.items()})
    made.engine.commands.clear()
    compose = made.engine.compose

    def failing(file: str, arguments: tuple[str, ...], *rest: object, **more: object) -> object:
        from slipway.runner.doors import Done

        if tuple(arguments) == hangs:
            return Done(1, "", "it hangs")
        return compose(file, arguments, *rest, **more)  # type: ignore[arg-type]

    made.engine.compose = failing  # type: ignore[assignment]
    with pytest.raises(DeployError, match="is serving again") as caught:
        down(made.doors, "me", "token")
    assert "nothing that runs was changed" not in caught.value.message
    last = made.folder.files["journal.jsonl"].splitlines()[-1]
    assert json.loads(last)["outcome"] == "undone"
    assert made.engine.commands[-1][0] == "up"
    assert {one.service for one in made.engine.running} == {"web", "db"}
