"""What of the live release a host has lost, and what a deploy makes of that beforehand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.demo import wanted
from tests.unit.plan.full import (
    FULL,
    GONE,
    NOW,
    planned,
    released,
    rolling,
    seen,
    with_containers,
)

from slipway.errors import DeployError
from slipway.images.values import HeldImages
from slipway.ledger.entries import File, Link, Source
from slipway.ledger.release import Release
from slipway.plan.actions import Action, Compose, Retire, Roll, Write
from slipway.plan.draft import draft
from slipway.plan.loss import Loss, lost
from slipway.plan.needs import needs, no_way_back, way_out
from slipway.plan.preflight import check_way_back, findings
from slipway.plan.steps import files, prune, secrets
from slipway.plan.steps.common import undo
from slipway.plan.wanted import Seen
from slipway.secret import Secret
from slipway.testing import FakeEngine, FakeFolder

SECRET = "secrets/db_password/1"


def bare(release: Release) -> Seen:
    """A host that has lost the live release's Compose file."""
    there = seen(release)
    return replace(there, memory=replace(there.memory, bare=frozenset({release.id})))


def without(there: Seen, *paths: str) -> Seen:
    """A host that has lost files."""
    kept = tuple(path for path in there.memory.files if path not in paths)
    return replace(there, memory=replace(there.memory, files=kept))


def compose_file(release: Release) -> Loss:
    """The loss of a Compose file."""
    return Loss("compose", f"releases/{release.id}/compose.json")


def test_every_part_of_a_release_can_be_lost() -> None:
    """Each is named as it is found on the host."""
    live = released()
    there = without(bare(live), SECRET, *live.files)
    none = replace(there, engine=replace(there.engine, images=HeldImages()))
    assert [str(one) for one in lost(live, none)] == [
        "the image demo/web:1",
        "the image demo/db:1",
        f"the file {live.files[0]}",
        f"the file {SECRET}",
        f"the Compose file releases/{live.id}/compose.json",
    ]
    assert lost(live, seen(live)) == ()
    assert planned(seen(live), API="new").plan.lost == ()
    assert planned(Seen()).plan.lost == ()


def test_what_the_same_checkout_has_is_written_anew() -> None:
    """It makes a release of its own; nothing that runs is touched, and then nothing is lost."""
    live = released()
    there = without(bare(live), *live.files)
    there = replace(there, engine=replace(there.engine, images=HeldImages()))
    made = planned(there)
    assert made.plan.touched == 0
    assert all(one.anew for one in made.plan.lost)
    assert {one.kind for one in made.plan.lost} == {"image", "file", "compose"}
    assert not made.unchanged
    assert made.plan.release == made.release.id
    (write,) = files.step(made).do
    assert isinstance(write, Write)
    anew = File(compose_file(live).name, Source("compose", made.release.id), 0o644)
    assert write.entries[-1] == anew
    assert planned(seen(live)).unchanged
    assert compose_file(live).name not in [
        each.path for one in files.step(planned(seen(live))).do if isinstance(one, Write)
        for each in one.entries[:-2]
    ]  # fmt: skip


def test_what_is_rolled_needs_no_compose_file_on_its_way_back() -> None:
    """Its old containers are there; the link stays where it was, and what was made new ends."""
    live = released()
    there = bare(live)
    some = (one for one in there.engine.containers if one.service != "cache")
    made = planned(with_containers(there, *some), WORKER="new", EDGE="new")
    assert made.plan.gone == (compose_file(live),)
    assert not made.plan.one_way
    assert no_way_back(made) == ""
    check_way_back("nas", made)
    edge, api, worker = (rolling(live)[name] for name in ("edge", "api", "worker"))
    back: tuple[Action, ...] = (
        Roll(made.release.id, (api, worker)),
        Roll(made.release.id, (edge, api, worker)),
        Retire((edge, api, worker)),
        Compose(made.release.id, (*GONE, "cache"), 300.0),
        Write((Link("current", f"releases/{live.id}"),)),
    )
    assert undo(made) == back
    one = planned(there, WORKER="new")
    assert [type(each) for each in undo(one)] == [Roll, Retire, Write]


@pytest.mark.parametrize(("commit", "called"), [("", ""), ("abc", " (abc)")])
def test_what_is_stopped_first_is_not_touched_without_a_way_back(commit: str, called: str) -> None:
    """Before anything is changed, with a way out."""
    live = replace(released(), commit=commit)
    made = planned(bare(live), BEAT="new", API="new")
    assert made.plan.one_way
    file = f"releases/{live.id}/compose.json"
    why = f"of the live release {live.id} it has lost the Compose file {file}"
    out = (
        f"deploy its commit{called}: that writes it anew; or, without a way back: remove "
        f"/pool/demo/current and /pool/demo/releases/{live.id}, then ./inv deploy"
    )
    assert no_way_back(made) == f"{why}: beat could not be brought back"
    assert way_out(made) == out
    facts = FakeEngine(FakeFolder()).facts("/pool/demo")
    assert [one.what for one in findings(facts, needs(made))] == [no_way_back(made)]
    with pytest.raises(DeployError) as caught:
        check_way_back("nas", made)
    error = caught.value
    assert (error.message, error.hint, error.exit_code) == (
        f"nas can't take this: {no_way_back(made)}; nothing was changed", out, 5,
    )  # fmt: skip


def test_a_supplied_value_is_the_best_known_of_a_lost_secret() -> None:
    """It is a new version, and the lost one as well: without that nothing can go back."""
    live = released()
    there = without(seen(live), SECRET)
    made = planned(there)
    assert made.plan.gone == (Loss("secret", SECRET),)
    assert no_way_back(made).endswith(f"lost the file {SECRET}: db could not be brought back")
    assert way_out(made) == (
        "put the value into deploy/secrets/db_password; or, without a way back: ./inv down, then "
        "./inv deploy"
    )
    given = replace(wanted(FULL), supplied={"db_password": Secret("known")})
    made = draft(given, there, NOW)
    assert made.plan.lost == (Loss("secret", SECRET, anew=True),)
    assert no_way_back(made) == ""
    step = secrets.step(made)
    assert step is not None
    (write,) = step.do
    assert isinstance(write, Write)
    written = [(one.path, one.source) for one in write.entries if isinstance(one, File)]
    content = Source("secret", "db_password", 2)
    assert written == [("secrets/db_password/2", content), (SECRET, content)]


def test_a_record_that_can_not_be_read_is_pruned() -> None:
    """Nothing can be gone back to by it; those that it hides from the history stay."""
    live = replace(released(), id="20260103-c", previous="20260102-b")
    old = [replace(released(), id=f"20260101-{name}", previous=None) for name in "zyx"]
    there = seen(live, *old)
    records = replace(there.memory.records, unreadable={"20260102-b": DeployError("cut")})
    assert [one.id for one in records.kept()] == ["20260103-c", "20260101-z", "20260101-y"]
    assert [one.id for one in replace(records, unreadable={}).kept()] == ["20260103-c"]
    step = prune.step(
        planned(replace(there, memory=replace(there.memory, records=records)), API="x")
    )
    assert step is not None
    (remove,) = step.do
    assert "releases/20260102-b" in remove.to_json()["paths"]  # type: ignore[operator]
