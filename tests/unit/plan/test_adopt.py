"""A stack that runs while no release is said to be live."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.act.runs import first, run
from tests.unit.demo import world

from slipway.hosts.inspect import EngineState
from slipway.ledger.records import Memory, Records
from slipway.plan.adopt import adopted
from slipway.plan.wanted import Seen


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
