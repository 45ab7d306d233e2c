"""A switch of services that the edge does not know, and what is left of a switch afterwards."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from tests.unit.runner import bench as benches
from tests.unit.runner.bench import Bench
from tests.unit.runner.model import PLACE, Model

from slipway.runner.doors import Done
from slipway.runner.failure import Failed
from slipway.runner.roll import Rolling
from slipway.runner.rolling import Roller


@pytest.fixture
def bench() -> Bench:
    """A host with one old container of the service."""
    made = benches.bench()
    made.do()
    made.made.engine.compose(f"{made.folder.path}/releases/{made.release}/compose.json", ["up"], 1)
    made.made.engine.running = [
        replace(one, config="old", name=f"demo-{one.service}-1") for one in made.made.engine.running
    ]
    made.made.engine.commands.clear()
    return made


def action(bench: Bench, **changes: Any) -> dict[str, Any]:
    """What switches ``db`` to the release's containers."""
    config = bench.draft.release.hashes["db"]
    one = replace(Rolling("db", 1, config, (), 30, 10, False), **changes)
    return {"release": bench.release, "services": [one.to_json()]}


def configs(bench: Bench) -> list[tuple[str, str]]:
    """Configuration and state of the service's containers."""
    return [(c.config, c.state) for c in bench.made.engine.running if c.service == "db"]


def test_a_worker_is_switched(bench: Bench) -> None:
    """The new one starts beside the old one, which is told to end when the new one is well."""
    roller, todo = Roller(bench.doors, None), action(bench)
    assert roller.switch(todo) == ["db"]
    (command,) = bench.made.engine.commands
    assert command == (
        "up", "--detach", "--no-build", "--pull", "never", "--no-recreate", "--scale",
        "db=2", "db",
    )  # fmt: skip
    new = bench.draft.release.hashes["db"]
    assert configs(bench) == [("old", "exited"), (new, "running")]
    roller.retire(todo)
    assert configs(bench) == [(new, "running")]


def test_its_name_is_the_one_that_compose_would_give(bench: Bench) -> None:
    """Numbers don't grow with every deploy."""
    roller, todo = Roller(bench.doors, None), action(bench)
    roller.switch(todo)
    bench.made.engine.running = [
        replace(c, name="demo-db-2") if c.state == "running" and c.service == "db" else c
        for c in bench.made.engine.running
    ]
    roller.retire(todo)
    assert [c.name for c in bench.made.engine.running if c.service == "db"] == ["demo-db-1"]


def test_a_switch_that_is_done_is_not_done_again(bench: Bench) -> None:
    """Whoever goes on with a broken-off one finds what is there."""
    todo = action(bench)
    Roller(bench.doors, None).switch(todo)
    Roller(bench.doors, None).switch(todo)
    assert len(bench.made.engine.commands) == 1
    Roller(bench.doors, None).retire(todo)
    assert len(configs(bench)) == 1


def test_what_does_not_run_makes_room(bench: Bench) -> None:
    """Dead containers are removed first: Compose would start them again."""
    bench.made.engine.crash("db", state="exited")
    Roller(bench.doors, None).switch(action(bench))
    assert configs(bench) == [(bench.draft.release.hashes["db"], "running")]
    assert "db=1" in bench.made.engine.commands[0]


def test_compose_that_fails(bench: Bench) -> None:
    """It is said, with its words."""
    bench.made.engine.compose = lambda *_, **__: Done(1, "", "no space")  # type: ignore[method-assign]
    with pytest.raises(Failed, match="db could not be started") as caught:
        Roller(bench.doors, None).switch(action(bench))
    assert caught.value.cause.details == ("no space",)


def test_one_that_never_gets_well() -> None:
    """Its deadline is that of its health check; the old one serves on."""
    model = Model(Random(1), start_s=1e9)
    todo = {"release": "new", "services": [Rolling("api", 1, "new", (), 20, 10, True).to_json()]}
    began = model.time
    with pytest.raises(Failed, match="api did not become healthy in time"):
        Roller(model.doors, PLACE).switch(todo)
    assert 20 < model.time - began < 25
    assert model.gaps == []
    assert [box.state for box in model.boxes] == ["running", "running"]


def test_nothing_is_ended_when_the_new_one_is_gone(bench: Bench) -> None:
    """Once it is live there is no way back, but the old one is better than none."""
    roller, todo = Roller(bench.doors, None), action(bench)
    roller.switch(todo)
    bench.made.engine.running = [c for c in bench.made.engine.running if c.config == "old"]
    with pytest.raises(Failed, match="waited too long for db to be well"):
        roller.retire(todo)
    assert configs(bench) == [("old", "exited")]


@pytest.mark.parametrize(("streams", "most"), [([3.0], 6.0), ([1000.0], 14.0)])
def test_requests_are_waited_for_but_not_for_ever(streams: list[float], most: float) -> None:
    """They have the time that the old container's stop would have."""
    model = Model(Random(2), start_s=0.5, stop_s=0.1)
    one = Rolling("api", 1, "new", (), 20, 10, True)
    todo = {"release": "new", "services": [one.to_json()]}
    roller = Roller(model.doors, PLACE)
    roller.switch(todo)
    began, home = model.time, model.places[0].address
    model.sessions[home] = [began + one for one in streams]
    roller.retire(todo)
    assert min(streams[0], 10) < model.time - began < most
    assert [box.config for box in model.boxes] == ["new"]


def test_a_wish_to_end_is_heeded_while_it_waits(bench: Bench) -> None:
    """It does not have to wait for a deadline."""
    bench.listener.cancel_at = 0
    with pytest.raises(Failed, match="interrupted"):
        Roller(bench.doors, None).switch(action(bench))


def asked(*services: Rolling) -> dict[str, Any]:
    """The question whether there is room."""
    return {"services": [one.to_json() for one in services]}


def test_a_service_that_the_edge_does_not_know_is_not_said_to_be_switched() -> None:
    """It has no backend of that name; what it has is counted. Nothing was started by then."""
    model = Model(Random(3))
    roller, there = Roller(model.doors, PLACE), len(model.boxes)
    roller.room(asked(Rolling("api", 1, "new", (), 20, 10, True)))
    other = Rolling("other", 1, "new", (), 20, 10, True)
    many = Rolling("api", 9, "new", (), 20, 10, True)
    with pytest.raises(Failed, match="the edge has no backend other") as caught:
        roller.room(asked(other, many))
    assert "9 containers of api need 19 servers" in caught.value.cause.details[0]
    roller.room(asked(replace(other, behind=False)))
    assert len(model.boxes) == there


def test_the_right_edge_is_asked_where_it_is_named() -> None:
    """One that is being replaced does not count; without one that answers it is said so."""
    model = Model(Random(3))
    api = Rolling("api", 1, "new", (), 20, 10, True)
    fresh = Rolling("edge", 1, "", (), 20, 10, False)
    Roller(model.doors, PLACE).room(asked(api, fresh))
    with pytest.raises(Failed, match="the edge doesn't run"):
        Roller(model.doors, PLACE).room(asked(api, replace(fresh, config="another")))
    with pytest.raises(Failed, match="the edge doesn't run"):
        Roller(model.doors, None).room(asked(api))


def test_many_have_more_time_to_start_and_who_did_not_come_is_named(bench: Bench) -> None:
    """Compose is given some for each; what came is counted."""
    given: list[float] = []

    def slow(file: str, arguments: Any, timeout_s: float, **_: Any) -> Done:
        given.append(timeout_s)
        new = replace(bench.made.engine.running[0], service="db", id="n", config=config)
        bench.made.engine.running.append(new)
        return Done(124, "", "ran out of time")

    config = bench.draft.release.hashes["db"]
    bench.made.engine.compose = slow  # type: ignore[method-assign]
    said = r"db \(1 of 50 came\) could not be started within 870 s"
    with pytest.raises(Failed, match=said):
        Roller(bench.doors, None).switch(action(bench, containers=50))
    assert given == [870.0]
