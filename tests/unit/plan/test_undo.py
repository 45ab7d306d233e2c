"""The way back from a deploy, as gently as it was begun."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.act.runs import first, run
from tests.unit.demo import COMPOSE, URL, world
from tests.unit.plan.full import (
    FULL,
    GONE,
    UP,
    ill,
    planned,
    released,
    rolling,
    seen,
    with_containers,
)

from slipway.doors import Answer
from slipway.errors import DeployError
from slipway.hosts.inspect import EngineState
from slipway.ledger.entries import Link
from slipway.ledger.scale import scaled
from slipway.plan.actions import Compose, Retire, Roll, Watch, Write
from slipway.plan.steps import common
from slipway.plan.wanted import Seen


def test_what_was_rolled_is_rolled_back_and_what_was_stopped_comes_first() -> None:
    """All by the file of before; what is right already is not touched once more."""
    live = released()
    there = seen(live, scale={"beat": 2, "gone": 4})
    made = replace(planned(seen(live), web="2"), seen=there)
    old = rolling(live)
    edge, api, worker = (old[name] for name in ("edge", "api", "worker"))
    limit = 120.0 + sum(one.deadline_s for one in live.expected)
    assert common.undo(made) == (
        Compose(live.id, (*UP, "--remove-orphans", "--scale", "beat=2", "beat"), limit),
        Roll(live.id, (api, worker)),
        Roll(live.id, (edge, api, worker)),
        Retire((edge, api, worker)),
        Compose(
            live.id, (*UP, "--remove-orphans", "--no-recreate", "--scale", "beat=2"), limit
        ),
        Watch(live.expected),
        Write((Link("current", f"releases/{live.id}"),)),
    )  # fmt: skip


def test_what_needs_something_rolled_comes_back_without_it() -> None:
    """Compose would end what serves beside the old one before that is reached again."""
    text = FULL.replace("[db]\n    environment: { BEAT", "[db, api]\n    environment: { BEAT")
    live = released(text)
    there = seen(live, scale={"beat": 2})
    limit = 120.0 + sum(one.deadline_s for one in live.expected)
    counted = ("--scale", "beat=2", "beat")
    for changes, alone in (({"API": "new"}, ("--no-deps",)), ({"EDGE": "new"}, ())):
        made = replace(planned(seen(live), text, BEAT="new", **changes), seen=there)
        up, roll = common.undo(made)[:2]
        assert up == Compose(live.id, (*UP, "--remove-orphans", *alone, *counted), limit)
        assert isinstance(roll, Roll)


@pytest.mark.parametrize("state", ["exited", ""])
@pytest.mark.parametrize("service", ["edge", "api", "worker"])
def test_an_edge_that_comes_back_is_told_of_all_containers(service: str, state: str) -> None:
    """It finds one by its name; and a service that was stopped has its places given back."""
    live = released()
    there = seen(live)
    left = (
        replace(one, state=state) if one.service == service else one
        for one in there.engine.containers
        if state or one.service != service
    )
    made = planned(with_containers(there, *left), **{service.upper(): "new"})
    assert made.plan.services("recreate", "create") == (service,)
    api = rolling(live)["api"]
    told = [one for one in common.undo(made) if isinstance(one, Roll | Retire)]
    assert told == ([] if service == "worker" else [Roll(live.id, (api,)), Retire((api,))])


def test_an_edge_that_is_rolled_back_is_told_as_well() -> None:
    """The one of before may have ended meanwhile; of a single container it needs to know none."""
    live = released()
    edge, api = (rolling(live)[name] for name in ("edge", "api"))
    told = common.undo(planned(seen(live), EDGE="new"))[:3]
    assert told == (Roll(live.id, (api,)), Roll(live.id, (edge, api)), Retire((edge, api)))
    edgeless = FULL.replace("  edge: { service: edge, socket: /run/admin.sock }\n", "").replace(
        FULL[FULL.index("  edge:\n") : FULL.index("  api:\n")], ""
    )
    removed = planned(seen(live), edgeless.replace("roll: true", "roll: beside"))
    assert removed.plan.services("remove", "roll", "recreate", "create") == ("edge",)
    assert common.undo(removed)[1] == Roll(live.id, (api,))
    numbers = {"api": 1, "worker": 3}
    one = seen(scaled(live, numbers), scale=numbers)
    assert common.undo(planned(one, EDGE="new"))[0] == Roll(live.id, (edge,))


def test_what_was_removed_is_brought_back_by_name() -> None:
    """As far as the release before knew it."""
    live = released()
    text = FULL[: FULL.index("  cache:")] + FULL[FULL.index("  db:") :]
    there = seen(live)
    more = replace(there.engine.containers[0], service="unknown", id="unknown-1")
    made = planned(with_containers(there, *there.engine.containers, more), text)
    assert made.plan.services("remove") == ("cache", "unknown")
    limit = 120.0 + sum(one.deadline_s for one in live.expected)
    assert common.undo(made)[:2] == (
        Compose(live.id, (*UP, "--remove-orphans", "cache"), limit),
        Compose(live.id, (*UP, "--remove-orphans"), limit),
    )


def test_of_the_sick_only_those_that_were_well_come_back() -> None:
    """Where the new ones are of the same definition, the old are told by their ids."""
    live = released()
    api = rolling(live)["api"]
    one = planned(ill(seen(live), "api-2"))
    assert common.undo(one)[:2] == (
        Roll(live.id, (replace(api, kept=("api-1",), containers=1),)),
        Retire((replace(api, kept=("api-1",), containers=1),)),
    )
    both = planned(ill(seen(live, scale={"api": 3}), "api-1", "api-3"))
    kept = replace(api, kept=("api-2",), containers=1)
    assert common.undo(both)[0] == Roll(live.id, (kept,))
    fewer = planned(ill(seen(replace(live, rolling=tuple(rolling(live).values()))), "worker-1"))
    assert [type(each) for each in common.undo(fewer)] == [Compose, Watch, Write]


def test_containers_without_a_record_are_gone_back_to() -> None:
    """As many, of the definition and the images that they are; what is new is ended."""
    there = seen(released()).engine.containers
    stood = tuple(
        replace(one, config="lost", image_id=f"other-{one.id}")
        for one in there
        if one.service in ("api", "beat", "edge")
    )
    made = planned(Seen(engine=EngineState(containers=stood)))
    new = rolling(made.release)
    edge = replace(new["edge"], config="lost", images=("other-edge-1",))
    api = replace(new["api"], config="lost", images=("other-api-1", "other-api-2"))
    assert common.undo(made) == (
        Roll(made.release.id, (edge, api)),
        Retire((edge, api)),
        Compose(made.release.id, (*GONE, "worker", "cache", "db"), 300.0),
        Write((Link("current", ""),)),
    )
    one = planned(Seen(engine=EngineState(containers=(stood[1],))))
    assert common.undo(one)[0] == Roll(
        one.release.id,
        (replace(new["api"], containers=1, config="lost", images=(stood[1].image_id,)),),
    )
    none = planned(Seen(engine=EngineState(containers=tuple(stood[-1:]))))
    assert [type(each) for each in common.undo(none)] == [Compose, Write]
    all_there = planned(Seen(engine=EngineState(containers=there)))
    assert common.undo(all_there) == (Write((Link("current", ""),)),)


def test_none_to_stop_is_no_command() -> None:
    """Compose takes one without names for all that there are."""
    assert common.stop("r", ()) == ()


def test_what_did_not_run_before_comes_back_as_it_was_released() -> None:
    """Nobody's new definition is left of a deploy that was undone, whatever was rolled in it."""
    text = COMPOSE.replace("x-slipway: { role: db }", "x-slipway: { role: db, roll: beside }")
    made = world()
    first(made, compose=text)
    made.engine.running = [one for one in made.engine.running if one.service != "web"]
    made.http.answers[f"{URL}/health"] = [Answer(503, b"{}")]
    with pytest.raises(DeployError, match="gave 503"):
        run(made, compose=text, web="2", db="2")
    assert {one.service: one.image_id for one in made.engine.running} == {
        "db": "sha256:config-db-1", "web": "sha256:config-web-1",
    }  # fmt: skip
