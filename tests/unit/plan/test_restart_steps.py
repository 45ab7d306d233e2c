"""A service started anew: who is told of it, which containers are old, and the way back."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.plan.full import GONE, UP, ill, kept, released, rolling, seen, with_containers

from slipway.plan.actions import Compose, Retire, Roll, Room, Watch
from slipway.plan.restart import restart, steps
from slipway.plan.step import Belief, Step
from slipway.plan.values import ContainerChange, Plan
from slipway.runner.containers import fingerprint
from slipway.runner.expected import Expected

NAMES = ("edge", "api", "worker")


def test_a_service_behind_the_edge_is_rolled_by_name() -> None:
    """All that are there are old, also the ill; back come those of them that are well."""
    live = released()
    before = ill(seen(live), "api-2")
    made = restart(kept(before), "api")
    assert made.plan == Plan(live.id, 0, (ContainerChange("api", "roll", "asked for"),))
    api = rolling(live)["api"]
    fresh = replace(api, old=("api-1", "api-2"))
    back = replace(api, kept=("api-1",), containers=1)
    assert steps(made) == (
        Step(
            "room", "has the edge places for them?", do=(Room((fresh,)),),
            reason="nothing was changed",
        ),
        Step(
            "restart",
            "api beside the old, then switch",
            Belief(live.id, fingerprint(before.engine.containers)),
            (Roll(live.id, (fresh,)),),
            (Roll(live.id, (back,)), Retire((back,))),
        ),
        Step(
            "retire", "end the old containers when their requests have ended",
            do=(Retire((fresh,)),),
            reason="the new containers are well; what stays of the old ones is ended by the next "
            "deploy",
        ),
    )  # fmt: skip


def test_the_edge_is_asked_wherever_it_is_to_bring_requests() -> None:
    """One container can do without an edge that runs; what it does not reach is not asked for."""
    there = seen(released(), scale={"api": 1})
    made = steps(restart(kept(there), "api"))
    assert [one.name for one in made] == ["room", "restart", "retire"]
    edgeless = (one for one in there.engine.containers if one.service != "edge")
    made = steps(restart(kept(with_containers(there, *edgeless)), "api"))
    assert [one.name for one in made] == ["restart", "retire"]
    made = steps(restart(kept(there), "worker"))
    assert [one.name for one in made] == ["restart", "retire"]


def test_a_new_edge_is_told_of_all_that_are_behind_it() -> None:
    """Of those with several containers its names lead it to one only; also on the way back."""
    live = released()
    edge, api, _ = (rolling(live)[name] for name in NAMES)
    switch, retire = steps(restart(kept(seen(live, scale={"worker": 3})), "edge"))
    fresh, back = replace(edge, old=("edge-1",)), replace(edge, kept=("edge-1",))
    assert switch.do == (Roll(live.id, (fresh, api)),)
    assert switch.undo == (Roll(live.id, (back, api)), Retire((back,)))
    assert retire.do == (Retire((fresh,)),)
    switch, _ = steps(restart(kept(seen(live, scale={"api": 1})), "edge"))
    assert switch.do == (Roll(live.id, (fresh,)),)


def test_what_the_edge_does_not_reach_needs_no_place() -> None:
    """Several workers take up work by themselves, and nobody else is told."""
    live = released()
    worker = replace(rolling(live)["worker"], containers=3)
    switch, _ = steps(restart(kept(seen(live, scale={"worker": 3})), "worker"))
    old = ("worker-1", "worker-2", "worker-3")
    assert switch.do == (Roll(live.id, (replace(worker, old=old),)),)


def test_what_does_not_roll_is_made_anew_and_watched() -> None:
    """The same once more is the way back: nothing else of it was there."""
    live = released()
    before = seen(live)
    made = restart(kept(before), "beat")
    assert made.plan == Plan(live.id, 0, (ContainerChange("beat", "recreate", "asked for", 13.0),))
    image = live.images["web"]
    ids = (image.config_digest, image.manifest_digest)
    do = (
        Compose(live.id, (*GONE, "beat"), 300.0),
        Compose(live.id, (*UP, "--no-recreate", "beat"), 120.0),
        Watch((Expected("beat", 1, 6, config=live.hashes["beat"], images=ids),)),
    )
    believed = Belief(live.id, fingerprint(before.engine.containers))
    assert steps(made) == (Step("restart", "beat: the old stops first", believed, do, do),)


def test_one_of_which_none_is_well_is_stopped_first() -> None:
    """Others that are well don't count, nor do those that a job started once."""
    live = released()
    before = ill(seen(live), "worker-1")
    once = replace(before.engine.containers[0], service="worker", id="once", one_off=True)
    made = restart(kept(with_containers(before, *before.engine.containers, once)), "worker")
    assert made.plan.services("recreate") == ("worker",)
    (step,) = steps(made)
    assert [type(one) for one in step.do] == [Compose, Compose, Watch]
