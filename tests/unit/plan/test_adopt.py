"""A stack that runs while no release is said to be live."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.unit.act.runs import first, run
from tests.unit.demo import wanted, world

from slipway.hosts.inspect import EngineState
from slipway.ledger.records import Memory, Records
from slipway.plan.actions import Compose
from slipway.plan.adopt import adopted
from slipway.plan.draft import draft
from slipway.plan.steps.common import undo
from slipway.plan.steps.stay import take_down
from slipway.plan.wanted import Seen

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_release_that_runs_is_taken_for_the_live_one() -> None:
    """The newest one whose every service runs with its image and definition."""
    made = world()
    first(made)
    run(made, web="2")
    records = made.folder.read().records
    containers = tuple(made.engine.running)
    lost = Seen(Memory(Records(records.releases)), EngineState(containers=containers))
    found = adopted(lost)
    assert found is not None and found.id == records.current
    assert adopted(replace(lost, engine=EngineState(containers=containers[1:]))) is None
    stopped = tuple(replace(one, state="exited") for one in containers)
    assert adopted(replace(lost, engine=EngineState(containers=stopped))) is None
    other = tuple(replace(one, config="other") for one in containers)
    assert adopted(replace(lost, engine=EngineState(containers=other))) is None
    assert adopted(replace(lost, memory=Memory(records))) is None


def test_a_first_deploy_that_fails_leaves_alone_what_it_found() -> None:
    """Containers of which no record is left are switched back to, and never taken down."""
    made = world()
    first(made)
    engine = EngineState(made.engine.state().images, tuple(made.engine.running))
    planned = draft(wanted(web="2"), Seen(engine=engine), NOW)
    back = undo(planned)
    assert not [one for one in back if isinstance(one, Compose) and "down" in one.arguments]
    created = set(planned.plan.services("create"))
    removed = {name for one in back if isinstance(one, Compose) for name in one.arguments[3:]}
    assert removed == created
    nothing = draft(wanted(web="2"), Seen(), NOW)
    assert undo(nothing) == take_down(nothing.release.id)
