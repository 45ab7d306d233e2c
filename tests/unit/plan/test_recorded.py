"""A recorded release made live again, from what the host has of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.unit.demo import APP
from tests.unit.plan.full import compose, containers, kept, released, seen, with_containers

from slipway.errors import ConfigError, DeployError, SlipwayError
from slipway.images.transfer import Transfer
from slipway.images.values import HeldImages
from slipway.ledger.records import Records
from slipway.plan.adopt import adopted
from slipway.plan.draft import Draft
from slipway.plan.recorded import chosen, recorded
from slipway.plan.values import ContainerChange, Plan
from slipway.plan.wanted import Wanted
from slipway.runner.containers import Made
from slipway.stack.model import Edge, Stack
from slipway.stack.render import Rendered

LISTED = "./inv releases lists those the host has"


def test_a_draft_needs_no_checkout() -> None:
    """It is made of the record and the Compose file there, with the host's own numbers."""
    live = replace(released(), commit="abc", url="http://elsewhere", verify="/ok")
    there = seen(live, scale={"worker": 2})
    text = compose()
    document = json.loads(text)
    document["services"]["worker"]["deploy"] = {
        **(document["services"]["worker"].get("deploy") or {}), "replicas": 2,
    }  # fmt: skip
    stack = Stack(
        "demo", "http://elsewhere", document, live.roles,
        {"edge": "beside", "api": "edge", "worker": "beside"},
        edge=Edge("edge", "/run/admin.sock"), verify_path="/ok",
    )  # fmt: skip
    wanted = Wanted(
        stack, (), {}, {}, {}, APP, f"{APP}/data", "http://elsewhere", "you@there", "abc"
    )
    keep = tuple(
        ContainerChange(name, "keep", "unchanged")
        for name in ("api", "beat", "cache", "db", "edge", "worker")
    )
    assert recorded(live, text, there, app_dir=APP, who="you@there") == Draft(
        wanted, live, Rendered(text, live.compose, live.hashes), (), Transfer(),
        Plan(live.id, 0, keep), there,
    )  # fmt: skip
    no_edge = replace(live, edge={})
    made = recorded(no_edge, text, seen(no_edge), app_dir=APP, who="me")
    assert made.wanted.stack.edge == Edge()


def test_going_back_sees_what_was_changed_by_hand() -> None:
    """A container is held against what the Compose file makes of it, not its label alone."""
    there = seen(released())
    first, *rest = there.engine.containers
    other = replace(first, made=Made(memory=1 << 20))
    plan = kept(with_containers(there, other, *rest)).plan
    (edge,) = (one for one in plan.containers if one.action != "keep")
    assert (edge.service, edge.action, edge.old) == ("edge", "roll", ("edge-1",))
    assert plan.bytes_to_send == 0


@pytest.mark.parametrize(("commit", "more"), [("", ""), ("abc", ": abc")])
def test_a_release_that_is_not_whole_says_what_is_gone(commit: str, more: str) -> None:
    """Images, config files and versions of secrets, all at once, and where to get them again."""
    live = replace(released(), commit=commit)
    there = seen(live)
    there = replace(
        there,
        memory=replace(there.memory, files=()),
        engine=replace(there.engine, images=HeldImages(references={"demo/web:1": "other"})),
    )
    with pytest.raises(DeployError) as caught:
        recorded(live, compose(), there, app_dir=APP, who="me")
    error = caught.value
    assert error.message == (
        f"{live.id} can't be made live again: the host has lost a part of it; nothing was changed"
    )
    assert error.details == (
        "the image demo/web:1",
        "the image demo/db:1",
        f"the file {live.files[0]}",
        "the file secrets/db_password/1",
    )
    assert error.hint == f"check out its commit and deploy that{more}"
    assert error.stage == "plan"


def test_the_release_to_go_back_to_is_the_one_before_or_one_by_name() -> None:
    """By its id or the beginning of one, also one that was never live."""
    one = released()
    a, b, c = (replace(one, id=name, previous=p) for name, p in
               (("a1", None), ("b1", "a1"), ("b2", None)))  # fmt: skip
    records = Records((c, b, a), "b1")
    assert chosen(records, "") is a
    assert chosen(records, "a") is a
    assert chosen(records, "b2") is c


NO_LIVE = "no release is live, and so none was before it"
NONE_BEFORE = "there is no release before the live one to go back to"


@pytest.mark.parametrize(
    ("current", "to", "kind", "message", "details", "hint"),
    [
        ("a1", "", DeployError, NONE_BEFORE, (), f"{LISTED}; --to goes back to one of them"),
        (None, "", DeployError, NO_LIVE, (), f"{LISTED}; --to goes back to one of them"),
        ("b1", "x", ConfigError, "no release is called x", ("b2", "b1", "a1"), LISTED),
        ("b1", "b", ConfigError, "2 releases are called b", (), "give more of the id: b2, b1"),
        (
            "b1", "b1", DeployError, "b1 is live already", (),
            f"./inv deploy heals what drifted from it; {LISTED}",
        ),
    ],
)  # fmt: skip
def test_none_or_several_are_refused(
    current: str | None, to: str, kind: type[SlipwayError], message: str,
    details: tuple[str, ...], hint: str,
) -> None:  # fmt: skip
    """With those there are, and what to write instead; a wrong id is the command line's fault."""
    one = released()
    a, b, c = (replace(one, id=name, previous=p) for name, p in
               (("a1", None), ("b1", "a1"), ("b2", None)))  # fmt: skip
    with pytest.raises(kind) as caught:
        chosen(Records((c, b, a), current), to)
    error = caught.value
    assert (type(error), error.message, error.details, error.hint, error.stage) == (
        kind, f"{message}; nothing was changed", details, hint, "plan",
    )  # fmt: skip


def test_a_record_that_is_lost_is_named() -> None:
    """Of the live release, or of the one before it; nobody says that there was none."""
    one = replace(released(), previous="a1")
    with pytest.raises(DeployError, match="says that gone is live but holds no record of it"):
        chosen(Records((one,), "gone"), "")
    why = DeployError("a1 is cut")
    unreadable = Records((one,), one.id, {"a1": why})
    with pytest.raises(DeployError, match="the record of a1, which was live before, can't be read"):
        chosen(unreadable, "")
    with pytest.raises(DeployError, match="a1 is cut"):
        chosen(unreadable, "a1")
    assert chosen(Records((one,)), one.id) is one


def test_a_release_runs_when_its_images_and_definitions_do() -> None:
    """Docker names an image by either digest; a service of no role has no image to compare."""
    live = released()
    there = seen(live)
    lost = replace(there, memory=replace(there.memory, records=Records((live,))))
    assert adopted(lost) is live
    manifest = {one.config_digest: one.manifest_digest for one in live.images.values()}
    stored = (replace(one, image_id=manifest.get(one.image_id, "any")) for one in containers(live))
    assert adopted(with_containers(lost, *stored)) is live
    other = (
        replace(one, image_id="other") if one.service == "api" else one for one in containers(live)
    )
    assert adopted(with_containers(lost, *other)) is None
