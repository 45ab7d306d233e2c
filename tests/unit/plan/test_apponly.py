"""Deploys where only TrueNAS can be asked: what is planned, done, undone and refused."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.demo import APP, COMPOSE, wanted
from tests.unit.plan.only import INCLUDED, NOW, only, planned, released, seen, standing

from slipway.app.present import plan_text
from slipway.app.present_steps import steps_text
from slipway.errors import DeployError
from slipway.hosts.dataset import Place
from slipway.hosts.facts import Facts
from slipway.hosts.inspect import EngineState
from slipway.images.values import HeldImages
from slipway.ledger.entries import Link
from slipway.operate.status import make_status
from slipway.plan.actions import Remove, Soak, Watch, Write
from slipway.plan.credited import credited, made_by
from slipway.plan.draft import Draft, draft, with_snapshot
from slipway.plan.ending import steps as down_steps
from slipway.plan.marked import marked
from slipway.plan.needs import ROLES, SNAPSHOT_ROLES, needs
from slipway.plan.preflight import check, findings
from slipway.plan.pulling import Pull
from slipway.plan.recorded import recorded
from slipway.plan.registering import LIVE, Redeploy, Register, Stop, Unregister
from slipway.plan.restart import restart
from slipway.plan.restart import steps as restart_steps
from slipway.plan.snapshotting import Revert, Snapshot
from slipway.plan.step import Belief
from slipway.plan.steps import again, steps
from slipway.plan.steps.common import belief
from slipway.plan.values import PendingMigration
from slipway.plan.wanted import Seen
from slipway.plan.waste import waste
from slipway.runner.run import way_back

EXPECTED = Path(__file__).parent / "expected/apponly.json"
RENEW = "SLIPWAY_RENEW=1 .venv/bin/python -m pytest tests/unit/plan/test_apponly.py"
FACTS = Facts("", "", docker_free=1 << 40, app_free=1 << 40, nas=True)
PLACE = Place("pool.snapshot", "tank/demo", f"{APP}/data")


def changed(*, downtime: bool = False) -> Draft:
    """A deploy of another image, with a migration."""
    before = released()
    made = planned(only(web="2"), seen(before))
    pending = PendingMigration("2", "more", downtime)
    return replace(
        made,
        wanted=replace(made.wanted, snapshots=True),
        plan=replace(made.plan, migrations=(pending,)),
    )


def names(made: Draft) -> list[str]:
    """Of the steps."""
    return [one.name for one in steps(made)]


def test_the_steps_of_a_deploy_are_what_they_were() -> None:
    """First, then with a change: compared as text, so that no change of them goes unseen."""
    made = changed()
    told = [[step.to_json() for step in steps(one)] for one in (planned(only(), Seen()), made)]
    text = json.dumps(told, indent=1) + "\n"
    text = text.replace(made.release.id, "NEW").replace(released().id, "OLD")
    if os.environ.get("SLIPWAY_RENEW"):
        EXPECTED.write_text(text)
    assert text == EXPECTED.read_text(), f"if it should be so: {RENEW}"


def test_a_first_deploy_tells_truenas_of_the_app_and_has_it_started() -> None:
    """In this order; undone, TrueNAS knows nothing of it, and nothing is live."""
    made = planned(only(), Seen())
    assert names(made) == [
        "secrets", "files", "pull", "register", "redeploy", "verify", "smoke", "record",
    ]  # fmt: skip
    todo = {one.name: one for one in steps(made)}
    assert isinstance(todo["register"].do[1], Register)
    gone = (Unregister("demo"), Write((Link("app.json", ""), Link("current", ""))))
    assert todo["redeploy"].undo == todo["record"].undo == gone
    back = way_back([one.to_json() for one in steps(made)], ["register", "redeploy"])
    assert [one["action"] for one in back] == ["unregister", "write", "write", "write"]


def test_all_is_started_anew_for_one_change_and_watched() -> None:
    """The app includes the new file while it is tried, and `current` from the record on."""
    before = released()
    made = planned(only(web="2"), seen(before))
    assert names(made)[:2] == ["files", "pull"]
    (step,) = (one for one in steps(made) if one.name == "redeploy")
    assert step.belief == belief(made)
    assert step.do == (
        Write((Link("app.json", f"releases/{made.release.id}/compose.json"),)),
        Redeploy("demo"),
        Watch(marked(made.release)),
    )
    assert step.undo == (
        Write((Link("app.json", f"releases/{before.id}/compose.json"),)),
        Redeploy("demo"),
        Watch(marked(before)),
        Write((Link("current", f"releases/{before.id}"), Link("app.json", LIVE))),
    )
    assert {one.name: one.undo for one in steps(made) if one.undo} == dict.fromkeys(
        ("redeploy", "verify", "smoke", "soak", "record"), step.undo
    )
    (record,) = (one for one in steps(made) if one.name == "record")
    links = (Link("current", f"releases/{made.release.id}"), Link("app.json", LIVE))
    assert record.do == (Write(links),)
    (soak,) = (one for one in steps(made) if one.name == "soak")
    assert [type(one) for one in soak.do] == [Soak]


def test_a_watch_knows_containers_by_their_images_alone() -> None:
    """TrueNAS tells no label; a container of the image from before doesn't count."""
    old, new = released(), planned(only(web="2"), Seen()).release
    web = next(one for one in marked(new) if one.service == "web")
    (mine,) = (one for one in standing(new) if one.service == "web")
    (theirs,) = (one for one in standing(old) if one.service == "web")
    assert (web.counts(mine), web.counts(theirs)) == (True, False)


def test_the_plan_tells_of_the_outage() -> None:
    """To people and programs: which services, why, and for how long."""
    plan = planned(only(web="2"), seen(released())).plan
    assert plan.to_json()["outage"] == ["web", "db", "migration"]
    assert {one.action for one in plan.containers} == {"recreate"}
    reasons = {one.service: one.reason for one in plan.containers}
    assert (reasons["web"], reasons["db"]) == ("image changed", "TrueNAS starts all anew")
    # db: 2 s to stop, 1 s to start; web after the migration after db, 2 s for its health check.
    assert plan.downtimes == {"web": 6.0, "db": 3.0, "migration": 4.0}
    said = plan_text(plan)
    assert (
        "all services stop while TrueNAS starts them anew, for it can't replace one by one" in said
    )
    assert '(mode = "app-only"):\n  web, db, migration' in said
    assert planned(only(), Seen()).plan.outage == ()


def test_nothing_is_done_when_nothing_changed() -> None:
    """What the app's containers are made of is credited to the live release."""
    made = planned(only(), seen(released()))
    assert made.unchanged
    assert made.plan.outage == ()


def test_only_images_that_lack_are_pulled_by_the_name_that_they_have_there() -> None:
    """And an image alone that was lost is no reason for an outage."""
    made = planned(only(web="2"), seen(released()))
    (step,) = (one for one in steps(made) if one.name == "pull")
    (pull,) = step.do
    assert isinstance(pull, Pull)
    (image,) = pull.images
    assert image.reference == image.source == made.release.images["web"].reference
    assert image.source == "registry.lan:5000/home/demo/web@sha256:manifest-web-2"
    there = seen(released())
    lost = replace(there.engine, images=HeldImages())
    again_ = planned(only(), replace(there, engine=lost))
    assert again_.plan.pull is not None
    assert again_.plan.outage == ()


@pytest.mark.parametrize("case", ["link", "image", "state", "migration"])
def test_in_doubt_all_is_started_anew(case: str) -> None:
    """The link leads elsewhere, an image is another one, a container ended or crashed."""
    before = released()
    there = seen(before)
    if case == "link":
        there = seen(before, included=f"releases/{before.id}/compose.json")
    elif case == "image":
        web, *rest = there.engine.containers
        other = (replace(web, image_id="other", config=""), *rest)
        there = replace(there, engine=replace(there.engine, containers=other))
    elif case == "state":
        there = seen(before, web="exited")
    else:
        ended = [replace(one, exit_code=1) if one.service == "migration" else one
                 for one in there.engine.containers]  # fmt: skip
        there = replace(there, engine=replace(there.engine, containers=tuple(ended)))
    made = planned(only(), there)
    assert not made.unchanged
    assert "redeploy" in names(made)
    assert set(made.plan.services("recreate")) == {"web", "db", "migration"}


def test_nothing_is_credited_without_a_live_release() -> None:
    """Nor to a service that it doesn't have."""
    before = released()
    engine = EngineState(containers=standing(before))
    assert credited(Seen().memory, engine) == engine
    memory = seen(before).memory
    stray = replace(engine, containers=(replace(engine.containers[0], service="stray"),))
    assert credited(memory, stray).containers[0].config == ""
    assert all(one.config for one in credited(memory, engine).containers)


def test_what_an_image_that_is_another_was_made_of_is_not_known() -> None:
    """The rest is the live release's; and what runs passes its check, as TrueNAS says."""
    before = released()
    engine = EngineState(containers=standing(before))
    web, *rest = engine.containers
    other = replace(engine, containers=(replace(web, image_id="other"), *rest))
    found = {one.service: one for one in credited(seen(before).memory, other).containers}
    assert (found["web"].config, found["db"].config) == ("", before.hashes["db"])
    found = {one.service: one for one in made_by(before, engine).containers}
    assert {name: one.health for name, one in found.items()} == {
        "web": "healthy", "db": "", "migration": "",
    }  # fmt: skip
    web = replace(web, health="starting")
    (still,) = made_by(before, replace(engine, containers=(web,))).containers
    assert still.health == "starting"


def test_a_piece_of_work_that_was_done_and_removed_is_no_reason_for_an_outage() -> None:
    """`docker container prune` removes it; with another image it has to be done again."""
    before = released()
    there = seen(before)
    left = tuple(one for one in there.engine.containers if one.service != "migration")
    there = replace(there, engine=replace(there.engine, containers=left))
    assert planned(only(), there).unchanged
    made = planned(only(web="2"), there)
    assert set(made.plan.services("recreate", "create")) == {"web", "db", "migration"}


def test_status_leaves_out_what_has_ended() -> None:
    """It stands no more than a command does; one that crashed is told of, as is another image."""
    live = released()
    containers = made_by(live, EngineState(containers=standing(live))).containers
    status = make_status("nas", live, containers)
    assert [one.service for one in status.services] == ["db", "web"]
    assert status.drift == ()
    gone = [one for one in containers if one.service != "migration"]
    assert make_status("nas", live, gone).drift == ()
    crashed = [replace(one, exit_code=1) if one.service == "migration" else one
               for one in containers]  # fmt: skip
    assert [str(one) for one in make_status("nas", live, crashed).drift] == ["migration is exited"]


def test_on_the_way_back_one_of_each_is_enough() -> None:
    """A release of another mode may have had more than its file says, which TrueNAS starts."""
    old = replace(draft(wanted(), Seen(), NOW).release, mode="app")
    two = replace(old, expected=tuple(replace(one, containers=2) for one in old.expected))
    (step,) = (one for one in steps(planned(only(), seen(two))) if one.name == "redeploy")
    (watch,) = (one for one in step.undo if isinstance(one, Watch))
    assert {one.containers for one in watch.expected} == {1}


def test_what_is_lost_can_t_be_started_on_the_way_back() -> None:
    """Where nothing ran, what the deploy started is ended; else it is refused beforehand."""
    before = released()
    there = seen(before)
    memory = replace(there.memory, files=tuple(
        one for one in there.memory.files if one.startswith("secrets/")
    ))  # fmt: skip
    down = replace(there, memory=memory, engine=replace(there.engine, containers=()))
    made = planned(only(edge=b"y"), down)
    (step,) = (one for one in steps(made) if one.name == "redeploy")
    links = (Link("current", f"releases/{before.id}"), Link("app.json", LIVE))
    assert step.undo == (Stop("demo"), Write(links))
    with pytest.raises(DeployError, match="could not be brought back"):
        check("nas", FACTS, needs(planned(only(edge=b"y"), replace(there, memory=memory))))


def test_a_network_that_changed_is_made_anew_with_the_app() -> None:
    """There is no step for it; a volume can't be, and is told of as ever."""
    networks = "networks: { inner: { internal: true } }\nvolumes: { kept: {} }\n"
    text = (COMPOSE + networks).replace(
        "secrets: [db_password]", "secrets: [db_password]\n    networks: [inner]", 1
    )
    before = planned(only(text), Seen()).release
    opened = text.replace("internal: true", "internal: false").replace(
        "kept: {}", "kept: { driver_opts: { a: b } }"
    )
    plan = planned(only(opened), seen(before)).plan
    assert [(one.kind, one.action) for one in plan.definitions] == [("volume", "refuse")]
    assert set(plan.outage) == {"web", "db", "migration"}


def test_a_stack_that_was_stopped_is_started() -> None:
    """TrueNAS tells of no containers then, and still knows the app."""
    before = released()
    there = seen(before)
    there = replace(there, engine=replace(there.engine, containers=()))
    made = planned(only(), there)
    assert names(made) == ["files", "redeploy", "verify", "smoke", "soak", "record"]
    assert made.plan.outage == ()


def test_an_app_that_was_deleted_is_told_of_again_and_stays_known() -> None:
    """What was live is started by it on the way back."""
    before = released()
    there = seen(before)
    there = replace(there, engine=replace(there.engine, containers=(), app=""))
    made = planned(only(web="2"), there)
    (step,) = (one for one in steps(made) if one.name == "register")
    assert (step.undo, bool(step.reason)) == ((), True)


def test_a_second_name_of_a_needed_image_is_not_pruned() -> None:
    """It was sent in mode `app` before it was pulled; TrueNAS would remove the image with it."""
    before = released()
    pinned_id = before.images["web"].config_digest
    names_of = {"demo/web:1": pinned_id, "demo/web:0": "sha256:old"}
    made = planned(only(web="2"), _also_held(seen(before), names_of))
    (step,) = (one for one in steps(made) if one.name == "prune")
    (removed,) = (one for one in step.do if isinstance(one, Remove))
    assert removed.images == ("demo/web:0",)
    again = planned(only(), _also_held(seen(before), {"demo/web:1": pinned_id}))
    assert "prune" not in names(again)


def _also_held(there: Seen, names_of: dict[str, str]) -> Seen:
    images = there.engine.images
    images = replace(images, references={**images.references, **names_of})
    return replace(there, engine=replace(there.engine, images=images))


def test_a_snapshot_brings_data_back_that_the_code_before_cant_read() -> None:
    """Nothing uses them meanwhile; of a migration that it can live with they stay."""
    made = with_snapshot(changed(downtime=True), PLACE)
    order = [name for name in names(made) if name in ("pull", "snapshot", "redeploy")]
    assert order[-2:] == ["snapshot", "redeploy"]
    (step,) = (one for one in steps(made) if one.name == "redeploy")
    assert made.plan.snapshot is not None
    before = released()
    links = Write((Link("current", f"releases/{before.id}"), Link("app.json", LIVE)))
    # Should TrueNAS refuse that, whoever presses Start there starts what the data were made for.
    assert step.undo[:3] == (Stop("demo"), links, Revert(made.plan.snapshot))
    mild = with_snapshot(changed(), PLACE)
    (step,) = (one for one in steps(mild) if one.name == "redeploy")
    assert not any(isinstance(one, Stop | Revert) for one in step.undo)


def test_nothing_is_written_between_a_snapshot_and_the_stop() -> None:
    """It would be lost on the way back; a snapshot that can't be taken starts all again."""
    made = with_snapshot(changed(downtime=True), PLACE)
    todo = {one.name: one for one in steps(made)}
    snapshot, redeploy = todo["snapshot"], todo["redeploy"]
    assert [type(one) for one in snapshot.do] == [Stop, Snapshot]
    assert snapshot.belief == belief(made)
    assert redeploy.belief == Belief(released().id)  # its containers are gone by then
    assert not any(isinstance(one, Revert) for one in snapshot.undo)
    assert snapshot.undo == redeploy.undo[3:]
    told = [one.to_json() for one in steps(made)]
    assert way_back(told, ["snapshot"])[1] == Redeploy("demo").to_json()
    assert way_back(told, ["snapshot", "redeploy"]) == way_back(told, ["redeploy"])
    mild = with_snapshot(changed(), PLACE)
    (step,) = (one for one in steps(mild) if one.name == "snapshot")
    assert ([type(one) for one in step.do], step.undo) == ([Snapshot], ())


def test_a_migration_that_nothing_undoes_is_refused() -> None:
    """Without a snapshot; unless there is nothing to lose."""
    made = with_snapshot(changed(downtime=True), "it is no dataset")
    with pytest.raises(DeployError, match="the migration 2") as caught:
        check("nas", FACTS, needs(made))
    assert "it is no dataset" in caught.value.message
    assert "app-only.md" in (caught.value.hint or "")
    check("nas", FACTS, needs(changed()))
    first = replace(made, seen=Seen())
    check("nas", FACTS, needs(first))


def test_roles_are_looked_at_and_versions_are_not() -> None:
    """Nobody may ask for Docker's version there; who may write may read as well."""
    needed = needs(changed())
    assert needed.roles == (*ROLES, *SNAPSHOT_ROLES)
    held = frozenset({*ROLES, "DATASET_WRITE", "SNAPSHOT_WRITE"})
    assert [one.what for one in findings(replace(FACTS, roles=held), needed)] == [
        "the login user lacks the role SNAPSHOT_DELETE in TrueNAS"
    ]
    assert not findings(replace(FACTS, roles=frozenset({"FULL_ADMIN"})), needed)
    assert not findings(FACTS, needed)
    (found,) = findings(replace(FACTS, writable=False), needed)
    assert "sudo" not in found.hint
    assert needs(draft(wanted(), Seen(), NOW)).roles == ()


def test_a_rollback_starts_the_release_before() -> None:
    """Also one that was deployed by whoever had a right to Docker: in the same project."""
    old = replace(draft(wanted(), Seen(), NOW).release, mode="app")
    live = released(web="2")
    text = draft(wanted(), Seen(), NOW).rendered.text
    there = seen(live, old)
    made = recorded(old, text, there, app_dir=APP, who="me", only=True)
    assert made.release.project == "ix-demo"
    assert [one.name for one in again(made)] == ["redeploy", "verify", "soak", "record"]
    assert again(made)[0].do[0] == Write((Link("app.json", f"releases/{old.id}/compose.json"),))
    assert set(made.plan.outage) == {"web", "db"}
    assert made.plan.services("remove") == ("migration",)


def test_a_rollback_tells_truenas_of_an_app_that_was_deleted() -> None:
    """Else it could neither be started, nor what was live on the way back."""
    old, live = released(), released(web="2")
    there = seen(live, old)
    there = replace(there, engine=replace(there.engine, containers=(), app=""))
    text = planned(only(), Seen()).rendered.text
    made = again(recorded(old, text, there, app_dir=APP, who="me", only=True))
    assert [one.name for one in made] == ["register", "redeploy", "verify", "soak", "record"]
    assert isinstance(made[0].do[1], Register)
    assert made[0].undo == ()


def test_a_change_of_mode_makes_all_anew_and_loses_nothing() -> None:
    """The project is the same, so nothing has to be taken down first."""
    old = replace(draft(wanted(), Seen(), NOW).release, mode="app")
    made = planned(only(), seen(old))
    assert set(made.plan.services("recreate", "create")) == {"web", "db", "migration"}
    assert "secrets" not in names(made)


def test_a_restart_is_one_of_all() -> None:
    """TrueNAS can't start one alone; on the way back it starts the same once more."""
    live = released()
    text = planned(only(), Seen()).rendered.text
    made = restart(recorded(live, text, seen(live), app_dir=APP, who="me", only=True), "web")
    assert set(made.plan.outage) == {"web", "db", "migration"}
    (step,) = restart_steps(made)
    assert step.do == step.undo
    assert Redeploy("demo") in step.do
    assert step.do[-1] == Write((Link("app.json", LIVE),))


def test_down_is_a_stop() -> None:
    """TrueNAS goes on knowing the app; broken off, it is started again."""
    live = released()
    text = planned(only(), Seen()).rendered.text
    made = recorded(live, text, seen(live), app_dir=APP, who="me", ends=True, only=True)
    (step,) = down_steps(made)
    assert (step.name, step.do) == ("down", (Stop("demo"),))
    assert Redeploy("demo") in step.undo


def test_numbers_of_containers_stand_in_the_file() -> None:
    """TrueNAS is told of no other number than the file's."""
    before = seen(released())
    before = replace(before, memory=replace(before.memory, scale={"db": 2}))
    text = COMPOSE.replace("x-slipway: { role: db }", "x-slipway: { role: db, roll: beside }")
    made = planned(only(text), before)
    body = json.loads(made.rendered.text)["services"]["db"]
    assert body["deploy"]["replicas"] == 2
    back = recorded(released(), planned(only(), Seen()).rendered.text, before,
                    app_dir=APP, who="me", only=True)  # fmt: skip
    assert {one.service: one.containers for one in back.counted.expected}["db"] == 1


def test_images_of_a_registry_go_with_their_releases() -> None:
    """By their digests; what others pulled from there stays."""
    old, new = released(), released(web="2")
    there = seen(new, old)
    ours = sorted(there.engine.images.references)
    others = "registry.lan:5000/home/other/web@sha256:x"
    records = replace(there.memory.records, releases=(new, old))
    found = waste("demo", records, references=(*ours, others), paths=())
    assert found.references == (old.images["web"].reference,)


def test_steps_for_people() -> None:
    """Each action has a line."""
    said = steps_text(steps(with_snapshot(changed(downtime=True), PLACE)))
    assert "have TrueNAS start the app demo anew" in said
    assert "have TrueNAS stop the app demo" in said
    assert "make the data what they were at tank/demo@" in said
    assert f"{APP}/app.json" == INCLUDED
