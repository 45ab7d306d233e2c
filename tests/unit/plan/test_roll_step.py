"""What a deploy rolls, in which order, and what is done before that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.plan.full import FULL, UP, ill, planned, released, rolling, seen, with_containers

from slipway.plan.actions import Compose, Retire, Roll, Start
from slipway.plan.draft import Draft
from slipway.plan.step import Belief, Step
from slipway.plan.steps import common, retire, roll, up
from slipway.plan.values import PendingMigration
from slipway.plan.wanted import Seen
from slipway.runner.containers import fingerprint

NETWORKED = FULL.replace("depends_on: [db]\n    deploy", "networks: [inner]\n    deploy") + (
    "networks: { inner: { internal: %s } }\n"
)


def rolled(made: Draft) -> dict[str, tuple[int, tuple[str, ...]]]:
    """What is rolled: how many containers, and the ids that have to go."""
    return {one.service: (one.containers, one.old) for one in roll.rolled(made)}


def test_the_edge_is_told_of_all_containers_of_a_service() -> None:
    """A name leads a new edge to one of several: those it asks for are rolled along with it."""
    release = released()
    there = seen(release)
    assert rolled(planned(there, EDGE="new")) == {"edge": (1, ()), "api": (2, ())}
    assert rolled(planned(seen(release, scale={"api": 1}), EDGE="new")) == {"edge": (1, ())}
    more = seen(release, scale={"worker": 3})
    assert rolled(planned(more, EDGE="new")) == {"edge": (1, ()), "api": (2, ())}
    assert rolled(planned(there, API="new")) == {"api": (2, ())}
    assert rolled(planned(there, BEAT="new")) == {}


@pytest.mark.parametrize("gone", ["edge", "api"])
def test_one_that_is_made_anew_has_its_places_given_back(gone: str) -> None:
    """Also where it, or the edge, could not be rolled: it is started, and then reached."""
    there = seen(released())
    left = with_containers(there, *(c for c in there.engine.containers if c.service != gone))
    made = planned(left)
    assert made.plan.services("create") == (gone,)
    assert rolled(made) == {"api": (2, ())}


def test_an_edge_that_was_stopped_is_told_as_well() -> None:
    """One that ended by itself is made anew, and knows no more than another new one."""
    there = seen(released())
    ended = (
        replace(one, state="exited") if one.service == "edge" else one
        for one in there.engine.containers
    )
    made = planned(with_containers(there, *ended))
    assert made.plan.services("recreate") == ("edge",)
    assert rolled(made) == {"api": (2, ())}


def test_a_sick_container_has_to_go_whatever_it_was_made_from() -> None:
    """Its id tells it from the new one, which is of the same definition."""
    made = planned(ill(seen(released()), "api-2"))
    assert rolled(made) == {"api": (2, ("api-2",))}


def test_what_is_rolled_is_switched_in_phases() -> None:
    """The edge comes last, and knows all by then; what was stopped before took the belief."""
    live = released()
    there = seen(live)
    made = planned(there, web="2")
    new = rolling(made.release)
    edge, api, worker = (new[name] for name in ("edge", "api", "worker"))
    assert roll.step(made) == Step(
        "roll",
        "edge, api, worker beside the old, then switch",
        Belief(live.id),
        (
            Roll(made.release.id, (api, worker)),
            Roll(made.release.id, (edge, api, worker)),
        ),
        common.undo(made),
    )
    assert roll.step(planned(there)) is None


def test_the_old_ones_are_ended_when_the_release_is_live() -> None:
    """All that were rolled, at once; there is no way back from it, and a reason for that."""
    there = seen(released())
    made = planned(there, web="2")
    assert retire.step(made) == Step(
        "retire",
        "end the old containers when their requests have ended",
        do=(Retire(roll.rolled(made)),),
        reason="the release is live; what stays of the old one is ended by the next deploy",
    )
    assert retire.step(planned(there)) is None


def test_the_roll_is_the_first_touch_where_nothing_came_before() -> None:
    """A migration, a network, or anything that was stopped or removed is one; else it believes."""
    live = released()
    there = seen(live)
    full = Belief(live.id, fingerprint(there.engine.containers))

    def believed(made: Draft) -> Belief | None:
        step = roll.step(made)
        assert step is not None
        return step.belief

    alone = planned(there, API="new")
    assert believed(alone) == full
    assert believed(planned(there, API="new", BEAT="new")) == Belief(live.id)
    assert believed(planned(there, API="new", DB="new")) == Belief(live.id)
    migrated = replace(alone, plan=replace(alone.plan, migrations=(PendingMigration("a", ""),)))
    assert believed(migrated) == Belief(live.id)
    more = replace(there.engine.containers[0], service="old", id="old-1")
    gone = with_containers(there, *there.engine.containers, more)
    assert believed(planned(gone, API="new")) == Belief(live.id)
    beat = with_containers(there, *(c for c in there.engine.containers if c.service != "beat"))
    assert believed(planned(beat, API="new")) == Belief(live.id)
    before = released(NETWORKED % "true")
    changed = planned(seen(before), NETWORKED % "false", EDGE="new")
    assert changed.plan.services("roll") == ("edge",)
    only = replace(changed, plan=replace(changed.plan, containers=changed.plan.containers[:1]))
    assert believed(only) == Belief(before.id)


def test_without_an_edge_all_are_switched_at_once() -> None:
    """A stack may roll beside without one."""
    text = FULL.replace("  edge: { service: edge, socket: /run/admin.sock }\n", "").replace(
        "roll: true", "roll: beside"
    )
    made = planned(seen(released(text)), text, EDGE="new", API="new")
    step = roll.step(made)
    assert step is not None
    new = rolling(made.release)
    assert step.do == (Roll(made.release.id, (new["edge"], new["api"])),)


def test_what_is_rolled_begins_to_start_before_others_are_stopped() -> None:
    """But not the edge, which takes requests at once, and nothing that needs what is stopped."""
    there = seen(released())
    made = planned(there, EDGE="new", API="new", BEAT="new")
    new = rolling(made.release)
    step = up.step(made)
    assert step == Step(
        "up",
        "beat: the old stops first",
        Belief(made.seen.memory.records.current, fingerprint(there.engine.containers)),
        (
            Start(made.release.id, (new["api"],)),
            Compose(made.release.id, (*UP, "--remove-orphans", "beat"), 120.0),
        ),
        common.undo(made),
    )
    for changes in ({"API": "new", "DB": "new"}, {"EDGE": "new", "BEAT": "new"}):
        step = up.step(planned(seen(released(), scale={"api": 1}), **changes))
        assert step is not None
        assert not [one for one in step.do if isinstance(one, Start)]


def test_what_needs_something_rolled_is_started_without_it() -> None:
    """Compose would make the rolled one anew, with a stop, in the place of those beside it."""
    text = FULL.replace("[db]\n    environment: { BEAT", "[db, api]\n    environment: { BEAT")
    made = planned(seen(released(text), scale={"api": 3}), text, API="new", BEAT="new")
    step = up.step(made)
    assert step is not None
    assert step.do[1:] == (
        Compose(made.release.id, (*UP, "--remove-orphans", "--no-deps", "beat"), 120.0),
    )
    free = planned(made.seen, text, BEAT="new")
    step = up.step(free)
    assert step is not None
    counted = (*UP, "--remove-orphans", "--scale", "api=3", "beat")
    assert step.do == (Compose(free.release.id, counted, 120.0),)


def test_networks_that_were_made_anew_are_the_first_touch() -> None:
    """Nothing else may have come before; what was on them is brought up."""
    before = released(NETWORKED % "true")
    step = up.step(planned(seen(before), NETWORKED % "false"))
    assert step is not None
    assert (step.about, step.belief) == ("api: the old stops first", Belief(before.id))


def test_what_only_goes_is_removed_and_named() -> None:
    """With its file's next services in place; after a migration the host is no more as seen."""
    live = released()
    there = seen(live)
    old = replace(there.engine.containers[0], service="old", id="old-1")
    made = planned(with_containers(there, *there.engine.containers, old), DB="new")
    step = up.step(made)
    assert step is not None
    assert (step.about, step.belief) == ("db: the old stops first; end old", Belief(live.id))
    assert up.step(planned(there)) is None
    alone = planned(with_containers(there, *there.engine.containers, old))
    step = up.step(alone)
    assert step is not None
    assert step.about == "end old"
    assert step.do == (Compose(live.id, (*UP, "--remove-orphans"), 120.0),)


def test_how_long_old_requests_are_given() -> None:
    """As long as a stop may take, or what is said; whole seconds, none of them lost."""
    given = {name: one.drain_s for name, one in rolling(released()).items()}
    assert given == {"edge": 10, "api": 30, "worker": 10}
    said = FULL.replace("roll: true", "roll: true, drain: 0.5")
    assert rolling(released(said))["api"].drain_s == 1


def test_up_says_what_it_starts_stops_and_ends() -> None:
    """Nothing is stopped for what did not run."""
    step = up.step(planned(Seen()))
    assert step is not None
    assert step.about == "start edge, api, worker, beat, cache, db"
