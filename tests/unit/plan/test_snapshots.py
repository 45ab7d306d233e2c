"""When a snapshot is taken, which one data go back to, and when it goes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.demo import APP
from tests.unit.plan.full import compose, containers, planned, released, seen

from slipway.app.present import plan_text
from slipway.app.present_steps import steps_text
from slipway.errors import DeployError
from slipway.hosts.dataset import Place
from slipway.ledger.records import Memory, Records
from slipway.ledger.release import Release, as_json
from slipway.ledger.snapshots import Taken
from slipway.operate.releases import listed, releases_text
from slipway.plan.actions import Compose
from slipway.plan.draft import Draft, needs_place, with_snapshot
from slipway.plan.recorded import recorded
from slipway.plan.rewind import source
from slipway.plan.rewound import kept_by, steps, with_all
from slipway.plan.snapshotting import Forget, Rewind, Snapshot, see_whole, to_forget
from slipway.plan.steps import steps as steps_of
from slipway.plan.steps.common import put_back
from slipway.plan.values import PendingMigration
from slipway.plan.wanted import Seen
from slipway.runner.run import way_back

PLACE = Place("pool.snapshot", "tank/demo", "/mnt/tank/demo", ("/mnt/tank/demo/db",))
DOWN = ("down", "--remove-orphans")


def taken(release: str) -> Taken:
    """What a release takes."""
    return Taken("pool.snapshot", "tank/demo", "/mnt/tank/demo", f"slipway-demo-{release}")


def history(*ids: str) -> tuple[Release, ...]:
    """Releases that were live one after the other, newest first; each took a snapshot."""
    one = released()
    return tuple(
        replace(one, id=name, previous=before, snapshot=taken(name))
        for name, before in zip(ids, (*ids[1:], None), strict=True)
    )


def migrating(*, live: bool = True) -> Draft:
    """A deploy with a migration."""
    before = seen(released()) if live else Seen()
    made = planned(before, web="2")
    migrations = (PendingMigration("2", "more"),)
    return replace(
        made,
        wanted=replace(made.wanted, snapshots=True),
        plan=replace(made.plan, migrations=migrations),
    )


def test_a_snapshot_is_wanted_only_of_what_somebody_could_miss() -> None:
    """Not before the first release, without migrations, or where it is not to be."""
    made = migrating()
    assert needs_place(made)
    assert not needs_place(migrating(live=False))
    assert not needs_place(replace(made, plan=replace(made.plan, migrations=())))
    assert not needs_place(replace(made, wanted=replace(made.wanted, snapshots=False)))


def test_it_is_taken_right_before_the_migration_and_noted() -> None:
    """The plan says which, the record holds it, the step's link leads to it."""
    made = with_snapshot(migrating(), PLACE)
    mine = taken(made.release.id)
    assert made.plan.snapshot == made.release.snapshot == mine
    todo = steps_of(made)
    names = [one.name for one in todo]
    assert names.index("snapshot") == names.index("migrate") - 1
    (step,) = (one for one in todo if one.name == "snapshot")
    assert step.do == (Snapshot(mine, f"releases/{made.release.id}/snapshot"),)
    assert (step.undo, step.belief) == ((), None)
    assert f"before them the snapshot {mine} is taken" in plan_text(made.plan)
    assert f"take the snapshot {mine}" in steps_text(todo)
    again = Release.from_json(as_json(made.release.to_json()), "there")
    assert again.snapshot == mine
    old = {name: value for name, value in again.to_json().items() if name != "snapshot"}
    assert Release.from_json(as_json(old), "there").snapshot is None


def test_without_a_dataset_the_plan_says_why_and_goes_on() -> None:
    """In one line; there is no such step."""
    made = with_snapshot(migrating(), "/srv is no ZFS dataset of its own")
    assert made.plan.snapshot is made.release.snapshot is None
    assert "snapshot" not in [one.name for one in steps_of(made)]
    assert (
        "no snapshot is taken before them: /srv is no ZFS dataset of its own"
        in plan_text(made.plan).splitlines()[-1]
    )


def test_the_oldest_since_is_what_the_data_were() -> None:
    """A dump that is older counts; of another line only what was taken when it was left."""
    d, c, b, a = history("d", "c", "b", "a")
    records = Records((d, c, b, a), "d")
    every = Memory(records, snapshots=("a", "b", "c", "d"), left=("a", "d"))
    assert [kept_by(every, one) for one in (c, b, a)] == [taken("d"), taken("c"), taken("b")]
    assert kept_by(replace(every, dumps=("b",), snapshots=("c", "d")), a) is None
    assert kept_by(replace(every, dumps=("d",), snapshots=("c", "d")), b) == taken("c")
    assert kept_by(replace(every, snapshots=()), a) is None
    gone_back = replace(every, records=Records((d, c, b, a), "b"))
    assert kept_by(gone_back, d) == taken("d-left")
    assert kept_by(gone_back, c) is None


def test_who_can_go_nowhere_is_told_where_one_can() -> None:
    """The releases whose data are kept are named."""
    c, b, a = history("c", "b", "a")
    memory = Memory(Records((c, b, a), "c"), snapshots=("b",))
    with pytest.raises(DeployError) as caught:
        source(memory, b)
    assert caught.value.details == ("kept are the data of a",)


def back(half: str = "", mode: str = "compose") -> tuple[Draft, Release, Taken]:
    """A way back from a release that migrated, with its data."""
    old, new = released(), released(web="2", EDGE="new")
    live = replace(new, id="20270101-000000-abcdef", previous=old.id, mode=mode)
    live = replace(live, snapshot=taken(live.id))
    before = seen(live, old)
    memory = replace(before.memory, snapshots=(live.id,), half=half)
    made = recorded(old, compose(), replace(before, memory=memory), app_dir=APP, who="me")
    return with_all(made), live, taken(live.id)


def test_everything_ends_before_data_change_and_comes_back_after() -> None:
    """What they are now is kept first, and each way back from there on ends with it."""
    draft, live, origin = back()
    made = steps(draft, live, PLACE, origin)
    paths = ("/mnt/tank/demo", "/mnt/tank/demo/db")
    down = Compose(live.id, DOWN, 600.0)
    kept = f"slipway-demo-{live.id}-left"
    up = put_back(live, draft.plan, {})
    undo = (down, Rewind(paths, kept, kept), *up)
    stop, keep, restore, *rest = made
    assert (stop.do, stop.undo) == ((down,), up)
    assert keep.do == (Snapshot(replace(origin, name=kept), f"releases/{live.id}/left", anew=True),)
    assert keep.undo == up
    assert (restore.do, restore.undo) == ((Rewind(paths, origin.name, kept),), undo)
    assert rest[0].name == "up"
    assert not [one for one in rest if one.belief and one.belief.containers is not None]
    assert all(one.undo == undo for one in rest if one.undo)
    assert "roll" not in [one.name for one in rest if one.name in ("room", "start")]
    assert {one.action for one in draft.plan.containers} <= {"create", "recreate", "remove"}
    assert f"what it was at {origin.name}" in steps_text(made)


def test_nothing_of_the_old_release_runs_while_its_data_come_back() -> None:
    """However far it came: what runs is ended, then the data change, then the live one starts."""
    draft, live, origin = back()
    made = steps(draft, live, PLACE, origin)
    sent = [one.to_json() for one in made]
    for number in range(2, len(made)):
        names = [one.name for one in made[: number + 1]]
        actions = [
            (each["action"], *each.get("arguments", ())[:1]) for each in way_back(sent, names)
        ]
        actions = [each for each in actions if each[0] in ("compose", "rewind")]
        assert actions[0] == ("compose", "down")
        assert actions[1] == ("rewind",)
        assert {each[1] for each in actions[2:]} == {"up"}


def test_data_that_are_half_put_back_are_never_kept_nor_served() -> None:
    """The snapshot of before stays the one to go back to, from the first step on."""
    draft, live, origin = back(half="kept-then")
    made = steps(draft, live, PLACE, origin)
    assert [one.name for one in made][:2] == ["stop", "restore"]
    paths = ("/mnt/tank/demo", "/mnt/tank/demo/db")
    assert made[0].undo[1] == Rewind(paths, "kept-then", "kept-then")
    assert made[1].do == (Rewind(paths, origin.name, "kept-then"),)
    with pytest.raises(DeployError, match="put back by half only"):
        see_whole(draft.seen.memory, "nas")
    see_whole(Memory(), "nas")


def test_a_start_in_truenas_interface_starts_nothing_meanwhile() -> None:
    """Its app includes nothing until the data are what they should be."""
    draft, live, origin = back(mode="app")
    stop, _, restore, *_ = steps(draft, live, PLACE, origin)
    told = [one.to_json() for one in (stop.do[0], stop.undo[0], restore.do[1], restore.undo[0])]
    links = [one["entries"][0] for one in told]  # type: ignore[index]
    assert [one["kind"] for one in links] == ["text", "link", "link", "text"]
    assert '"scale": 0' in str(stop.do[0])


def test_it_goes_with_its_release() -> None:
    """Also what was taken when it was left, of a failed one, and never any other."""
    c, b, a = history("c", "b", "a")
    plain = replace(c, id="p", snapshot=None)
    memory = Memory(Records((c, plain, b, a), "c"), left=("p", "a"))
    assert to_forget(memory, ["p", "a"]) == (taken("a"), taken("p-left"), taken("a-left"))
    assert to_forget(memory, []) == ()
    bare = Memory(Records((plain,), None), left=("p",))
    assert to_forget(bare, ["p"]) == ()


def test_the_next_deploy_forgets_what_no_kept_release_has() -> None:
    """Before the records go, which alone know the names."""
    ones = history("d", "c", "b", "a")
    before = seen(ones[0])
    before = replace(before, memory=replace(before.memory, records=Records(ones, "d")))
    before = replace(before, engine=replace(before.engine, containers=containers(ones[0])))
    step = steps_of(planned(before, web="2"))[-1]
    assert step.name == "prune"
    assert step.do[0] == Forget((taken("b"), taken("a")))


def test_the_list_of_releases_says_which_data_are_kept() -> None:
    """Only of snapshots that are there."""
    b, a = history("b", "a")
    memory = Memory(Records((b, a), "b"), snapshots=("b",), left=("a",))
    first, second = listed(Seen(memory))
    assert (first.to_json()["snapshot"], first.to_json()["left"]) == (str(taken("b")), False)
    assert (second.to_json()["snapshot"], second.to_json()["left"]) == (None, True)
    text = releases_text((first, second))
    assert f"before it the data were as in {taken('b')}" in text
    assert text.count("when it was left are kept") == 1
