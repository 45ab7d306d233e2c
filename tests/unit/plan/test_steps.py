"""Steps are values: the list of one deploy as text, and what its steps do and undo."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.act.runs import PENDING, run
from tests.unit.demo import APP, COMPOSE, wanted, world
from tests.unit.plan.stood import NETWORKED, NOW, OPENED, live, running

from slipway.act.deploy import observe
from slipway.hosts.inspect import EngineState
from slipway.ledger.entries import Directory, File, Link
from slipway.ledger.records import Memory
from slipway.plan.actions import Compose, Watch, Write
from slipway.plan.draft import Draft, draft
from slipway.plan.step import Belief, Step, asked
from slipway.plan.steps import steps
from slipway.plan.steps.common import put_back
from slipway.plan.steps.stay import take_down
from slipway.plan.values import Plan
from slipway.plan.wanted import Seen
from slipway.runner.containers import Container, fingerprint
from slipway.runner.expected import Expected
from slipway.runner.run import way_back
from slipway.secret import Secret

UP = ("up", "--detach", "--no-build", "--pull", "never")
EXPECTED = Path(__file__).parent / "expected/steps.json"
RENEW = "SLIPWAY_RENEW=1 .venv/bin/python -m pytest tests/unit/plan/test_steps.py"


def busy() -> Draft:
    """A deploy with every kind of step: changed image, secret, file and network, old releases."""
    made = world()
    made.engine.pending = PENDING
    for number in range(1, 5):
        run(made, compose=NETWORKED, web=str(number))
    new = replace(
        wanted(OPENED, web="5", edge=b"listen 81\n"), supplied={"db_password": Secret("theirs")}
    )
    made.clock.seconds += 60
    return draft(new, observe(made.doors, new), made.clock.now())


def text_of(made: Draft) -> str:
    """The steps as JSON, with releases named by their age: their ids hold hashes."""
    text = json.dumps([step.to_json() for step in steps(made)], indent=1) + "\n"
    names = [made.release.id, *(one.id for one in made.seen.memory.records.releases)]
    for number, name in enumerate(names):
        text = text.replace(name, f"RELEASE-{-number}")
    return text


def test_one_deploys_steps_are_what_they_were() -> None:
    """What a deploy does is compared as text, so that no change of it goes unseen."""
    text = text_of(busy())
    if os.environ.get("SLIPWAY_RENEW"):
        EXPECTED.write_text(text)
    assert text == EXPECTED.read_text(), f"if it should be so: {RENEW}"


def test_a_plan_is_the_same_each_time() -> None:
    """The same things seen and wanted make the same steps, byte for byte."""
    assert text_of(busy()) == text_of(busy())


@pytest.mark.parametrize("first", [True, False])
def test_steps_say_how_they_are_undone(first: bool) -> None:
    """Every step has an undo or a reason for having none; what changes what runs has a belief."""
    release = live()
    made = draft(wanted(web="2"), Seen() if first else running(release), NOW)
    todo = steps(made)
    assert [one.name for one in todo] == [
        "transfer", *(["secrets"] if first else []), "files", "migrate", "up", "verify",
        "smoke", *([] if first else ["soak"]), "record",
    ]  # fmt: skip
    assert all(one.undo or one.reason for one in todo)
    back = take_down(made.release.id) if first else put_back(release, made.plan, {})
    undone = {one.name: one.undo for one in todo if one.undo}
    changing = ("migrate", "up", "verify", "smoke", *(() if first else ("soak",)), "record")
    assert undone == dict.fromkeys(changing, back)
    assert {one.name for one in todo if one.belief} == {"migrate", "up", "record"}


def test_only_the_first_change_believes_in_containers() -> None:
    """Until then nothing of ours changed them; from then on their ids are new."""
    release = live(NETWORKED)
    seen = running(release)
    full = Belief(release.id, fingerprint(seen.engine.containers))
    rest = Belief(release.id)
    for new, believed in (
        (wanted(OPENED, web="2"), {"networks": full, "migrate": rest, "up": rest, "record": rest}),
        (wanted(NETWORKED, web="2"), {"migrate": full, "up": rest, "record": rest}),
        (wanted(NETWORKED, edge=b"other"), {"up": full, "record": rest}),
    ):
        todo = steps(draft(new, seen, NOW))
        assert {one.name: one.belief for one in todo if one.belief} == believed


def test_a_fingerprint_leaves_one_off_containers_out() -> None:
    """Nobody's plan is stale because a job ran beside it."""
    one = Container("db", "b", "db", "i", "running")
    other = replace(one, id="a")
    once = replace(one, id="c", one_off=True)
    assert fingerprint((one, other, once)) == (("db", "a", "i"), ("db", "b", "i"))


def test_the_way_back_is_the_last_steps_first_each_once() -> None:
    """What several steps are undone by is done once, where the last of them has it."""
    a, b, c = (Compose(name, ("up",), 1.0) for name in "abc")
    all_steps = (Step("1", "", undo=(c, a)), Step("2", ""), Step("3", "", undo=(a, b)))
    sent = [one.to_json() for one in all_steps]
    assert way_back(sent, ["1", "2", "3"]) == [one.to_json() for one in (a, b, c)]
    assert way_back(sent, ["1", "2"]) == [one.to_json() for one in (c, a)]
    assert way_back(sent, []) == []


def test_a_release_is_put_back_watched_and_made_current() -> None:
    """Its own file is applied, its services are watched for as long as theirs may take."""
    release = live()
    up, watch, link = put_back(release, Plan(release.id, 0, ()), {})
    assert isinstance(up, Compose)
    assert up.release == release.id
    assert up.arguments == ("up", "--detach", "--no-build", "--pull", "never", "--remove-orphans")
    assert up.timeout_s == 120 + 11 + 6
    assert watch == Watch(release.expected)
    assert link == Write((Link("current", f"releases/{release.id}"),))


def test_a_release_of_before_has_its_services_watched_too() -> None:
    """A record that doesn't say what to expect expects one container of each service."""
    watch = put_back(replace(live(), expected=()), Plan("r", 0, ()), {})[1]
    assert isinstance(watch, Watch)
    assert set(watch.expected) == {Expected("db", 1, 300), Expected("web", 1, 300)}


def test_taking_down_keeps_data_and_names_nothing_live() -> None:
    """Neither volumes nor images go with the containers."""
    down, link = take_down("r1")
    assert down == Compose("r1", ("down", "--remove-orphans", "--timeout", "30"), 300.0)
    assert link == Write((Link("current", ""),))


def test_data_folders_are_entries_with_mode_and_owner() -> None:
    """They are made as the stack says, after the folder they lie in, as absolute paths."""
    text = COMPOSE.replace('db: { mode: "0700" }', 'db: { mode: "0711", owner: 70 }, media: {}')
    todo = steps(draft(wanted(text), Seen(), NOW))
    (write,) = next(one for one in todo if one.name == "files").do
    assert isinstance(write, Write)
    folders = [entry for entry in write.entries if isinstance(entry, Directory)]
    (media,) = (one for one in wanted(text).stack.data if one.name == "media")
    assert folders == [
        Directory(f"{APP}/data", 0o755),
        Directory(f"{APP}/data/db", 0o711, 70),
        Directory(f"{APP}/data/media", media.mode, media.owner),
    ]


def test_programs_can_be_executed() -> None:
    """A config file is for everybody to read, and a program among them to execute."""
    edge = wanted().files["edge"]
    for mode, file in ((0o444, edge), (0o555, replace(edge, program=True))):
        made = steps(draft(replace(wanted(), files={"edge": file}), Seen(), NOW))
        (write,) = next(step for step in made if step.name == "files").do
        assert isinstance(write, Write)
        (config,) = (
            one for one in write.entries if isinstance(one, File) and one.source.kind == "config"
        )
        assert config.mode == mode


def test_what_is_there_is_not_written_again() -> None:
    """A config file lies under the hash of its content; a held secret has its version."""
    first = draft(wanted(), Seen(), NOW)
    held = ("secrets/acl/1", "secrets/db_password/1")
    seen = Seen(Memory(files=(*first.release.files, *held)))
    todo = {one.name: one for one in steps(draft(wanted(), seen, NOW))}
    assert "secrets" not in todo
    (write,) = todo["files"].do
    assert isinstance(write, Write)
    paths = [one.path for one in write.entries if isinstance(one, File)]
    assert [path for path in paths if path.startswith("files/")] == []
    assert len(paths) == 2


def test_the_last_step_with_a_way_back_makes_the_release_live() -> None:
    """The host itself switches the link, and nothing after it can be undone."""
    todo = steps(draft(wanted(), Seen(), NOW))
    (record,) = (one for one in todo if one.name == "record")
    (write,) = record.do
    assert isinstance(write, Write)
    assert [type(entry) for entry in write.entries] == [Link]
    assert write.where == "host"
    assert not [one for one in todo[todo.index(record) + 1 :] if one.undo]


def test_what_takes_this_machine_is_done_before_the_host_is_asked() -> None:
    """Images, secrets and files are there when the host's steps begin, and it goes on from them."""
    todo = steps(busy())
    mine, theirs = asked(todo)
    assert [one.name for one in mine] == ["transfer", "secrets", "files"]
    assert (*mine, *theirs) == todo
    assert not [one for one in mine if one.belief or one.undo]


def test_what_a_runner_on_the_host_could_not_do_is_marked() -> None:
    """Only images, secrets and files, asking the URL and the smoke test need this machine."""
    marked = {
        (step.name, action.to_json()["action"])
        for step in steps(busy())
        for action in (*step.do, *step.undo)
        if action.where == "here"
    }
    assert marked == {
        ("transfer", "load"), ("secrets", "write"), ("files", "write"), ("verify", "ask"),
        ("smoke", "run"),
    }  # fmt: skip


def test_sick_services_are_replaced_first() -> None:
    """Compose leaves an unhealthy container alone, so that one is forced, and only that."""
    release = live()
    seen = running(release)
    sick = tuple(
        replace(one, health="unhealthy") if one.service == "web" else one
        for one in seen.engine.containers
    )
    made = draft(wanted(), replace(seen, engine=EngineState(containers=sick)), NOW)
    step = next(one for one in steps(made) if one.name == "up")
    first, fresh, last = step.do
    assert isinstance(first, Compose)
    assert first.arguments == ("rm", "--stop", "--force", "web")
    assert isinstance(fresh, Compose)
    assert fresh.arguments[-2:] == ("--no-recreate", "web")
    # Compose is not told of others: it would stop what depends on those that it makes anew.
    assert isinstance(last, Compose)
    assert last.arguments[-2:] == ("--remove-orphans", "web")
    assert isinstance(step.undo[0], Compose)
    assert step.undo[0].arguments[-2:] == ("--remove-orphans", "web")


def test_paused_services_are_let_go_on_and_made_anew() -> None:
    """Each once: what the migration needs before it, the others with the rest."""
    seen = running(live())
    paused = tuple(replace(one, state="paused") for one in seen.engine.containers)
    made = steps(draft(wanted(), replace(seen, engine=EngineState(containers=paused)), NOW))
    commands = {
        step.name: [one.arguments for one in step.do if isinstance(one, Compose)] for step in made
    }
    gone = ("rm", "--stop", "--force")
    assert commands["migrate"][0] == ("unpause", "db")
    assert commands["migrate"][1:3] == [(*gone, "db"), (*UP, "--no-recreate", "db")]
    assert commands["up"][0] == ("unpause", "web")
    assert commands["up"][1:3] == [(*gone, "web"), (*UP, "--no-recreate", "web")]
    assert len(commands["up"]) == 4
