"""Secrets of a service that takes them while it runs: both are valid until nobody shows the old."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.unit.act.runs import run
from tests.unit.demo import COMPOSE, World, wanted, world

from slipway.act.deploy import deploy, observe
from slipway.ledger.entries import Link
from slipway.ledger.release import Release
from slipway.plan.actions import Hand, Write
from slipway.plan.draft import Draft, draft
from slipway.plan.rewind import _undone_by
from slipway.plan.step import Step
from slipway.plan.steps import again, steps
from slipway.plan.wanted import Wanted
from slipway.secret import Secret

TAKING = COMPOSE.replace("x-slipway: { role: db }", "x-slipway: { role: db, reload: [take, them] }")
#: web shows the same secret.
BOTH = TAKING.replace("configs: [edge]", "configs: [edge]\n    secrets: [db_password]")
NEW = (("db_password", "secrets/db_password/2"),)
OLD = (("db_password", "secrets/db_password/1"),)


@pytest.fixture
def made() -> World:
    """A host on which the stack is live."""
    made = world()
    run(made, compose=BOTH)
    made.clock.seconds += 60
    return made


def wanted_with(value: str, compose: str = BOTH, *, db: str = "1") -> Wanted:
    """The stack, with a password of the operator's unless that is empty."""
    supplied = {"db_password": Secret(value)} if value else {}
    return replace(wanted(compose, db=db), supplied=supplied)


def drafted(made: World, compose: str = BOTH, *, db: str = "1", value: str = "theirs") -> Draft:
    """A deploy with another password."""
    new = wanted_with(value, compose, db=db)
    return draft(new, observe(made.doors, new), made.clock.now())


def step(made: Draft, name: str) -> Step:
    """A step by its name."""
    (found,) = (one for one in steps(made) if one.name == name)
    return found


def names(made: Draft) -> list[str]:
    """The steps in their order."""
    return [one.name for one in steps(made)]


def test_the_first_deploy_has_nobody_to_tell() -> None:
    """Its containers read their secrets when they start."""
    made = world()
    first = drafted(made, value="")
    assert step(first, "hand").do == (Hand("db", OLD),)
    assert step(first, "hand").undo == ()
    assert "withdraw" not in names(first)
    assert first.plan.reloads == ()


def test_old_and_new_are_valid_until_the_old_ones_users_have_ended(made: World) -> None:
    """Who takes them keeps its container; who shows them is made anew between the two steps."""
    changed = drafted(made)
    assert [one.to_json() for one in changed.plan.reloads] == [
        {"service": "db", "secrets": ["db_password"]}
    ]
    assert changed.plan.services("keep") == ("db",)
    assert changed.plan.services("recreate") == ("web",)
    take = ("take", "them")
    both = (*NEW, ("db_password.before", "secrets/db_password/1"))
    assert step(changed, "hand").do == (Hand("db", both, take),)
    assert step(changed, "hand").undo == (Hand("db", OLD, take),)
    assert step(changed, "hand").belief is not None
    assert step(changed, "withdraw").do == (Hand("db", NEW, take),)
    order = names(changed)
    assert order.index("secrets") < order.index("hand") < order.index("up")
    assert order.index("record") < order.index("withdraw")


def test_a_deploy_does_it(made: World) -> None:
    """The container that was there is told twice; its folder ends with the new one alone."""
    (before,) = (one.id for one in made.engine.running if one.service == "db")
    deploy(wanted_with("theirs"), made.doors, "token")
    taken = [one for one in made.engine.executed if one[1] == "take"]
    assert taken == [(before, "take", "them")] * 2
    handed = {path: data for path, data in made.folder.files.items() if "handed/" in path}
    assert handed == {"handed/db/db_password": b"theirs"}


def test_nothing_else_is_a_reason_to_tell_anybody(made: World) -> None:
    """The folder is put in order, and that is all."""
    other = drafted(made, BOTH.replace("interval: 2s", "interval: 3s"), value="")
    assert other.plan.reloads == ()
    assert step(other, "hand").do == (Hand("db", OLD),)
    assert "withdraw" not in names(other)


def test_one_that_is_made_anew_reads_them_when_it_starts(made: World) -> None:
    """Both, since others still show the old one; afterwards it is told."""
    changed = drafted(made, db="2")
    assert changed.plan.reloads == ()
    assert changed.plan.services("recreate") == ("web", "db")
    (handed,) = step(changed, "hand").do
    assert isinstance(handed, Hand)
    assert handed.command == ()
    assert dict(handed.files)["db_password.before"] == "secrets/db_password/1"
    assert step(changed, "withdraw").do == (Hand("db", NEW, ("take", "them")),)
    assert step(changed, "hand").undo == (Hand("db", OLD, ("take", "them")),)


def test_a_release_from_before_it_took_them(made: World) -> None:
    """Its container goes, with the files it had; the way back needs no folder."""
    older = world()
    run(older, compose=BOTH.replace(", reload: [take, them]", ""))
    older.clock.seconds += 60
    changed = drafted(older)
    assert changed.plan.services("recreate") == ("web", "db")
    assert step(changed, "hand").undo == ()
    assert step(changed, "withdraw").do == (Hand("db", NEW, ("take", "them")),)


def test_only_a_secret_changed_is_a_deploy(made: World) -> None:
    """Though no container is touched."""
    run(made, compose=TAKING)
    made.clock.seconds += 60
    changed = drafted(made, TAKING)
    assert changed.plan.services("recreate", "create", "roll") == ()
    assert not changed.plan.empty
    assert not changed.unchanged
    assert changed.plan.release == changed.release.id


def test_nobody_hands_out_what_another_deploy_has_replaced(made: World) -> None:
    """The plan of a deploy that somebody overtook is refused before the folder is touched."""
    assert step(drafted(made, value=""), "hand").belief is not None


def test_who_was_not_told_is_told_by_the_next_deploy(made: World) -> None:
    """A run broke off before it, or before the old one was withdrawn."""
    deploy(wanted_with(""), made.doors, "token")
    for left in ("handed/db.untold", "handed/db/db_password.before"):
        made.folder.files[left] = b""
        made.engine.executed.clear()
        again = drafted(made, value="")
        assert [one.to_json() for one in again.plan.reloads] == [{"service": "db", "secrets": []}]
        assert not again.unchanged
        deploy(wanted_with(""), made.doors, "token")
        assert [one[1:] for one in made.engine.executed if one[1] == "take"] == [("take", "them")]
        assert left not in made.folder.files
        made.clock.seconds += 60
    assert drafted(made, value="").unchanged


def test_one_whose_secrets_are_gone_is_made_anew(made: World) -> None:
    """A start of it would fail, and what lies there later is another folder than it has."""
    del made.folder.files["handed/db/db_password"]
    again = drafted(made, value="")
    (change,) = (one for one in again.plan.containers if one.service == "db")
    assert (change.action, change.reason) == ("recreate", "its secrets are gone from the host")
    deploy(wanted_with(""), made.doors, "token")
    assert made.folder.files["handed/db/db_password"] == made.folder.files["secrets/db_password/1"]


def test_what_nobody_takes_any_more_goes(made: World) -> None:
    """Copies don't outlive the last release that has them."""
    plain = BOTH.replace(", reload: [take, them]", "")
    for _ in range(6):
        made.clock.seconds += 60
        deploy(wanted_with("", plain, db=str(made.clock.seconds)), made.doors, "token")
    assert not [path for path in made.folder.files if path.startswith("handed/")]


def test_a_way_back_with_the_data_takes_secrets_back_as_well(made: World) -> None:
    """Its steps have a way back of their own, which knows nothing of secrets."""
    changed = drafted(made)
    (own,) = step(changed, "hand").undo
    other = Write((Link("current", "x"),))
    assert _undone_by(step(changed, "hand"), (other,)).undo == (other, own)
    assert _undone_by(step(changed, "up"), (other,)).undo == (other,)
    assert _undone_by(step(changed, "withdraw"), (other,)).undo == ()


def test_a_record_keeps_it(made: World) -> None:
    """A release is gone back to by what it says of itself."""
    release = drafted(made).release
    text = json.dumps(release.to_json()).encode()
    assert Release.from_json(text, "here").reloads == release.reloads != ()
    assert [one.name for one in again(drafted(made))].index("hand") >= 0
