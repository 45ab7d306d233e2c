"""A migration: what is asked, stopped and kept before it, and looked at afterwards."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.demo import wanted
from tests.unit.plan.full import FULL, NOW, UP, planned, released, seen

from slipway.plan.actions import Check, Compose, Watch
from slipway.plan.draft import draft
from slipway.plan.step import Step
from slipway.plan.steps import common, migrate
from slipway.plan.wanted import Seen


def test_a_migration_is_planned_kept_done_and_checked() -> None:
    """The code from before goes on: its own health checks have to pass afterwards, at once."""
    live = released()
    made = planned(seen(live, scale={"worker": 2}), web="2")
    db = next(one for one in made.release.expected if one.service == "db")
    run = ("run", "--rm", "--no-deps", "-T", "job")
    name = made.release.id
    assert migrate.step(made) == Step(
        "migrate",
        "bring the database to the release's shape",
        common.belief(made),
        (
            Compose(name, (*UP, "db"), 120.0),
            Watch((db,)),
            Compose(
                name, (*run, "migrate", "--plan"), 120.0, "the migration could not be planned", True
            ),
            Compose(
                name, ("exec", "-T", "db", "dump", "now"), 1800.0,
                "the database could not be dumped, so it was not touched",
                output=f"releases/{name}/database.dump",
            ),
            Compose(name, (*run, "migrate"), 900.0, "the migration failed"),
            Check((("api", ("check", "api")), ("worker", ("/bin/sh", "-c", "check worker")))),
        ),
        common.undo(made),
        "the database keeps its new shape, which the release before was seen to run on",
    )  # fmt: skip


def test_a_first_migration_has_nothing_to_keep_or_to_check() -> None:
    """There is no database yet, and no code from before."""
    assert migrate.step(planned(seen(released()))) is None
    first = migrate.step(planned(Seen()))
    assert first is not None
    assert [type(one) for one in first.do] == [Compose, Watch, Compose, Compose]


def test_a_migration_with_downtime_has_its_users_stopped_and_a_way_back() -> None:
    """In the file of the release that runs; back, the database is put back before all else."""
    live = released()
    text = FULL.replace("environment: { EDGE", "environment: { OTHER: x, EDGE")
    there = seen(replace(live, revisions=("0001",)))

    new = replace(wanted(text, web="2"), revisions=("0001", "0002"), downtimes=frozenset({"0002"}))
    made = draft(new, there, NOW)
    step = migrate.step(made)
    assert step is not None
    assert step.reason == ""
    name, file = made.release.id, f"releases/{made.release.id}/database.dump"
    stopped, dumped, _ = step.do[3:]
    assert stopped == Compose(live.id, ("stop", "api", "worker", "beat"), 300.0)
    assert isinstance(dumped, Compose) and dumped.output == file
    assert step.undo[:2] == (
        Compose(name, ("stop", "api", "worker", "beat"), 300.0, needs=file),
        Compose(
            name, ("exec", "-T", "db", "restore", "now"), 1800.0,
            "the database could not be put back; it stays as it is", input=file, needs=file,
        ),
    )  # fmt: skip
    assert step.undo[2:] == common.put_back(live, made.plan, {}, there.engine.containers)
