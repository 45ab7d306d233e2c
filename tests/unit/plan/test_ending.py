"""The steps that end a stack, one wave after the other, and bring it up again until the last."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.plan.full import kept, released, seen, with_containers

from slipway.plan.actions import Compose, Count
from slipway.plan.ending import Ending, steps
from slipway.plan.step import Belief, Step
from slipway.plan.steps.common import put_back
from slipway.runner.containers import fingerprint


def test_each_wave_has_the_time_it_says_and_all_come_back() -> None:
    """The requests are counted before the first; only that one believes in what was seen."""
    live = released()
    there = seen(live, scale={"worker": 2})
    made = kept(there)
    back = put_back(made.counted, made.plan, {"worker": 2})
    assert steps(made) == (
        Step(
            "stop edge",
            "end edge (up to 10 s)",
            Belief(live.id, fingerprint(there.engine.containers)),
            (Count(), Compose(live.id, ("stop", "edge"), 70.0)),
            back,
        ),
        Step(
            "stop api, beat, cache, worker",
            "end api (up to 30 s), beat (up to 120 s), cache (up to 10 s), worker (up to 10 s)",
            do=(Compose(live.id, ("stop", "api", "beat", "cache", "worker"), 180.0),),
            undo=back,
        ),
        Step(
            "stop db",
            "end db (up to 10 s)",
            do=(Compose(live.id, ("stop", "db"), 70.0),),
            undo=back,
        ),
        Step(
            "down",
            "remove containers and networks",
            do=(Compose(live.id, ("down", "--remove-orphans"), 300.0),),
            undo=back,
            reason="./inv deploy brings it up again",
        ),
    )


def test_what_is_not_there_is_not_stopped() -> None:
    """Nor does what a job started once count; a wave of which nothing is there is left out."""
    there = seen(released())
    once = replace(there.engine.containers[0], id="once", one_off=True)
    left = [one for one in there.engine.containers if one.service not in ("edge", "beat")]
    made = steps(kept(with_containers(there, *left, once)))
    assert [one.name for one in made] == ["stop api, cache, worker", "stop db", "down"]
    assert [one.belief is not None for one in made] == [True, False, False]
    assert [Count() in one.do for one in made] == [True, False, False]
    assert [one.name for one in steps(kept(with_containers(there)))] == ["down"]


def test_an_ending_in_json() -> None:
    """The service, and the seconds it has."""
    assert Ending("db", 10.0).to_json() == {"service": "db", "within_s": 10.0}
