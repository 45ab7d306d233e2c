"""Whether the edge can bring requests is asked before anything changes, of the edge that counts."""

from __future__ import annotations

from tests.unit.plan.full import FULL, planned, released, rolling, seen, with_containers

from slipway.plan.actions import Room
from slipway.plan.steps import steps
from slipway.plan.wanted import Seen


def asked(before: Seen, text: str = FULL, **changes: str) -> dict[str, tuple[Room, ...]]:
    """Step to its questions."""
    made = steps(planned(before, text, **changes))
    found = {step.name: tuple(a for a in step.do if isinstance(a, Room)) for step in made}
    return {name: rooms for name, rooms in found.items() if rooms}


def test_the_edge_that_stays_is_asked_first() -> None:
    """Before what changes anything; only for what it is to reach."""
    live = released()
    there = seen(live)
    fresh = rolling(released(API="new"))["api"]
    assert asked(there, API="new") == {"room": (Room((fresh,)),)}
    names = [step.name for step in steps(planned(there, API="new"))]
    assert names.index("room") < names.index("roll")
    assert asked(there, WORKER="new") == {}
    assert asked(there) == {}


def test_a_new_service_behind_it_is_asked_for_as_well() -> None:
    """One that does not run yet is not rolled, and must be reached all the same."""
    there = seen(released())
    left = [one for one in there.engine.containers if one.service != "api"]
    fresh = rolling(released())["api"]
    assert asked(with_containers(there, *left)) == {"room": (Room((fresh,)),)}


def test_an_edge_that_comes_with_the_deploy_is_asked_once_it_runs() -> None:
    """The one before it does not count: what is asked for may be what the new one brings."""
    live = released()
    new = rolling(released(API="new", EDGE="new"))
    found = asked(seen(live), API="new", EDGE="new")
    assert found == {"verify": (Room((new["api"], new["edge"])),)}
    first = rolling(released())
    assert asked(Seen()) == {"verify": (Room((first["api"], first["edge"])),)}


def test_without_an_edge_nobody_is_asked() -> None:
    """Nor is one that is not wanted to run."""
    there = seen(released())
    text = FULL.replace("configs: [edge]\n", "configs: [edge]\n    deploy: { replicas: 0 }\n")
    left = [one for one in there.engine.containers if one.service != "edge"]
    stopped = with_containers(seen(released(text)), *left)
    assert asked(stopped, text, API="new") == {}
