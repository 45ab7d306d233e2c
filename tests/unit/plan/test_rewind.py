"""The database taken back with a release: which dump, what is stopped, and the way back again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.demo import APP
from tests.unit.plan.full import FULL, compose, released, seen

from slipway.errors import DeployError
from slipway.ledger.records import Memory, Records
from slipway.ledger.release import Database, Release
from slipway.plan.actions import Compose
from slipway.plan.recorded import recorded
from slipway.plan.rewind import source, steps, with_data
from slipway.plan.step import Belief, Step
from slipway.plan.steps import again
from slipway.plan.steps.common import put_back
from slipway.plan.values import ContainerChange
from slipway.runner.containers import fingerprint
from slipway.stack.model import Piped

HINT = "./inv rollback without --data leaves the database as it is"


def history(*ids: str) -> tuple[Release, ...]:
    """Releases that were live one after the other, newest first."""
    one = released()
    return tuple(
        replace(one, id=name, previous=before)
        for name, before in zip(ids, (*ids[1:], None), strict=True)
    )


def test_the_oldest_dump_since_is_the_database_of_then() -> None:
    """Each was made before its release migrated; those of others tell nothing of it."""
    d, c, b, a = history("d", "c", "b", "a")
    memory = Memory(Records((d, c, b, a), "d"), dumps=("a", "b", "c", "d", "other"))
    assert [source(memory, one) for one in (c, b, a)] == [d, c, b]
    assert source(replace(memory, dumps=("d", "a")), a) is d


@pytest.mark.parametrize(
    ("dumps", "to", "restores", "why"),
    [
        ((), "a", True, "none of the releases since has migrated it, or their dumps are gone"),
        (("a",), "a", True, "none of the releases since has migrated it, or their dumps are gone"),
        (("b",), "x", True, "none of the releases since has migrated it, or their dumps are gone"),
        (
            ("b",), "a", False,
            "the live release does not say how a database is put back "
            "(`x-slipway.migrate.restore`)",
        ),
    ],
)  # fmt: skip
def test_without_a_dump_or_a_way_to_use_it_nothing_is_done(
    dumps: tuple[str, ...], to: str, restores: bool, why: str
) -> None:
    """A release that was never live has no database of its own either."""
    b, a = history("b", "a")
    if not restores:
        b = replace(b, database=replace(b.database, restore=Piped()))
    target = a if to == "a" else replace(a, id=to)
    with pytest.raises(DeployError) as caught:
        source(Memory(Records((b, a), "b"), dumps=dumps), target)
    error = caught.value
    assert error.message == (
        f"there is no database to go back to with {to}: {why}; nothing was changed"
    )
    assert (error.hint, error.stage) == (HINT, "plan")


def test_what_uses_the_database_is_stopped_and_all_of_it_can_be_undone() -> None:
    """Before anything is put in its place the database is kept as it is; back, that is put back."""
    old, new = released(), released(web="2", EDGE="new")
    live = replace(
        new,
        previous=old.id,
        id="20270101-000000-abcdef",
        database=replace(new.database, users=(*new.database.users, "gone")),
    )
    before = seen(live, old)
    draft = with_data(recorded(old, compose(), before, app_dir=APP, who="me"), live)
    back = put_back(live, draft.plan, {})
    file = f"releases/{live.id}/undone.dump"
    stopped = ("stop", "api", "worker", "beat")
    kept = Compose(
        live.id, ("exec", "-T", "db", "dump", "now"), 1800.0,
        "the database could not be dumped, so it was not touched", output=file,
    )  # fmt: skip
    put = Compose(
        live.id, ("exec", "-T", "db", "restore", "now"), 1800.0,
        "the database could not be put back; it stays as it is",
        input=f"releases/{old.id}/database.dump",
    )  # fmt: skip
    undo = (
        Compose(live.id, (*stopped, "gone"), 300.0, needs=file),
        replace(put, input=file, needs=file),
        *back,
    )
    made = steps(draft, live, old)
    assert made[:3] == (
        Step(
            "stop",
            "api, worker, beat, gone: they use the database",
            Belief(live.id, fingerprint(before.engine.containers)),
            (Compose(live.id, stopped, 300.0),),
            back,
        ),
        Step("keep", f"the database as it is now: {file}", do=(kept,), undo=back),
        Step("restore", f"the database as it was before {old.id}", do=(put,), undo=undo),
    )
    rest = again(draft)
    assert [one.name for one in rest if one.undo] == ["up", "roll", "verify", "soak", "record"]
    assert made[3:] == tuple(replace(one, undo=undo) if one.undo else one for one in rest)


def test_a_database_that_can_not_be_kept_is_put_back_all_the_same() -> None:
    """A release may say how it is put back, while another one kept it."""
    old, new = released(), released(web="2")
    live = replace(
        new, previous=old.id, id="20270101-000000-abcdef",
        database=replace(new.database, dump=Piped()),
    )  # fmt: skip
    draft = with_data(recorded(old, compose(), seen(live, old), app_dir=APP, who="me"), live)
    assert [one.name for one in steps(draft, live, old)][:3] == ["stop", "restore", "up"]


def test_back_again_a_user_that_needs_something_rolled_comes_alone() -> None:
    """As on every way back: what serves beside the old one is not ended for it."""
    text = FULL.replace("[db]\n    environment: { BEAT", "[db, edge]\n    environment: { BEAT")
    old, new = released(text), released(text, EDGE="new")
    live = replace(new, previous=old.id, id="20270101-000000-abcdef")
    made = recorded(old, compose(text), seen(live, old), app_dir=APP, who="me")
    draft = with_data(made, live)
    assert steps(draft, live, old)[0].undo == put_back(live, draft.plan, {}, alone=True)


def test_users_of_either_release_are_stopped() -> None:
    """Also those that would go on, or be rolled: in the meantime there is no database."""
    old, live = released(), released(FULL.replace("beat", "tick"), web="2")
    old = replace(old, database=Database(users=("worker", "cache")))
    live = replace(live, database=Database(users=("api", "tick")))
    draft = with_data(recorded(old, compose(), seen(live, old), app_dir=APP, who="me"), live)
    reason = "the database goes back too"
    assert draft.plan.containers == (
        ContainerChange("api", "recreate", reason, 5.0),
        ContainerChange("beat", "create", "not running"),
        ContainerChange("cache", "recreate", reason, 2.0),
        ContainerChange("db", "keep", "unchanged"),
        ContainerChange("edge", "roll", "image changed"),
        ContainerChange("worker", "recreate", reason, 3.0),
        ContainerChange("tick", "remove", "the stack has no such service any more"),
    )
