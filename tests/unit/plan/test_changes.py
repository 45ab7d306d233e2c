"""Plans: what changes, why, and nothing when nothing does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.demo import COMPOSE, wanted

from slipway.hosts.container import Container
from slipway.ledger.records import Records
from slipway.ledger.release import Release
from slipway.plan.changes import Seen, make_plan
from slipway.plan.draft import Observed, draft
from slipway.plan.steps import steps
from slipway.plan.values import PendingMigration, Plan
from slipway.stack.model import Stack

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def wanted(text: str = COMPOSE, **changes: Any) -> tuple[Stack, Release]:
    """A stack and the release it makes."""
    made = draft(wanted(text, **changes), Observed(), NOW)
    return made.job.stack, made.release


def containers(release: Release, **changes: dict[str, Any]) -> tuple[Container, ...]:
    """The containers a release comes to, with some changed."""
    found = []
    for service, config in release.hashes.items():
        digest = release.images[release.roles[service]].config_digest
        one = Container(service, f"id-{service}", service, digest, "running", "", config=config)
        found.append(replace(one, **changes.get(service, {})))
    return tuple(found)


def plan(seen: Seen, text: str = COMPOSE, sent: int = 0, **changes: Any) -> Plan:
    """The plan for the sample stack."""
    stack, release = wanted(text, **changes)
    return make_plan(stack, release, seen, bytes_to_send=sent)


def actions(made: Plan) -> dict[str, tuple[str, str]]:
    """Service to action and reason."""
    return {one.service: (one.action, one.reason) for one in made.containers}


def test_plan_has_the_promised_fields() -> None:
    """``plan --json`` prints exactly the promised fields."""
    value = plan(Seen(), sent=7).to_json()
    assert value == {
        "release": value["release"],
        "bytes_to_send": 7,
        "containers": [
            {"service": "web", "action": "create", "reason": "not running", "downtime_s": 0},
            {"service": "db", "action": "create", "reason": "not running", "downtime_s": 0},
        ],
        "migrations": [{"revision": "", "message": "known once the new web image is on the host"}],
    }
    assert list(value) == ["release", "bytes_to_send", "containers", "migrations"]


def test_nothing_changed_is_nothing_to_do() -> None:
    """With the live release running as recorded the plan is empty and names that release."""
    _, release = wanted()
    live = replace(release, id="before")
    made = plan(Seen(containers(release), live))
    assert made == Plan("before", 0, made.containers, ())
    assert made.empty
    assert {action for action, _ in actions(made).values()} == {"keep"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"image_id": "sha256:other"}, "image changed"),
        ({"config": "other"}, "configuration changed"),
        ({"config": ""}, "configuration changed"),
        ({"state": "exited"}, "not running"),
        ({"state": "restarting"}, "not running"),
        ({"health": "unhealthy"}, "unhealthy"),
    ],
)
def test_reasons_to_recreate(change: dict[str, Any], reason: str) -> None:
    """Each difference has its own reason, and touches that service only."""
    _, release = wanted()
    made = plan(Seen(containers(release, web=change), release))
    assert actions(made) == {"web": ("recreate", reason), "db": ("keep", "unchanged")}
    assert made.touched == 1


def test_manifest_digest_is_the_image_too() -> None:
    """With the containerd store Docker's image id is the manifest's digest."""
    _, release = wanted()
    ids = {"image_id": release.images["web"].manifest_digest}
    assert plan(Seen(containers(release, web=ids), release)).touched == 0


def test_changed_secret_is_named() -> None:
    """A service whose secret has a new version says which."""
    _, release = wanted()
    live = replace(release, secrets={**release.secrets, "db_password": 0})
    made = plan(Seen(containers(release, db={"config": "older"}), live))
    assert actions(made)["db"] == ("recreate", "secret changed: db_password")


def test_service_that_is_gone_is_removed() -> None:
    """A container of a service the stack no longer has is removed; one-off ones are left."""
    _, release = wanted()
    extra = Container("old", "x", "old", "i", "running")
    once = Container("job", "y", "job", "i", "running", one_off=True)
    made = plan(Seen((*containers(release), extra, once), release))
    assert actions(made)["old"][0] == "remove"
    assert "job" not in actions(made)


def test_downtime_is_from_the_services_own_settings() -> None:
    """Downtime is a tenth of the stop grace period and the time to the first health check."""
    _, release = wanted()
    old = {"image_id": "old"}
    made = plan(Seen(containers(release, web=old, db=old), release))
    assert [one.downtime_s for one in made.containers] == [3.0, 3.0]


def test_dependents_that_restart_are_in_the_plan() -> None:
    """``depends_on`` with ``restart: true`` takes the dependent along."""
    text = COMPOSE.replace(
        "depends_on: [db]\n    configs",
        "depends_on: {db: {condition: service_started, restart: true}}\n    configs",
    )
    _, release = wanted(text)
    made = plan(Seen(containers(release, db={"image_id": "old"}), release), text)
    assert actions(made)["web"] == ("recreate", "restarts with db")


def test_missing_replica_is_seen() -> None:
    """A service that should have two containers but has one is completed."""
    text = COMPOSE.replace("stop_grace_period: 20s", "deploy: { replicas: 2 }")
    _, release = wanted(text)
    made = plan(Seen(containers(release), release), text)
    assert actions(made)["db"] == ("recreate", "1 containers run instead of 2")


def test_migrations_follow_the_migrating_image() -> None:
    """None with an unchanged image; those the image named when it was asked; else unknown."""
    _, release = wanted()
    assert plan(Seen(containers(release), release)).migrations == ()
    named = (PendingMigration("a1", "tables"),)
    assert plan(Seen((), None, named)).migrations == named
    unknown = plan(Seen(containers(release), release), web="2").migrations
    assert [one.revision for one in unknown] == [""]


def test_release_that_differs_in_a_file_nobody_mounts_is_recorded() -> None:
    """When only the record would differ, it is a release of its own that touches nothing."""
    _, release = wanted()
    live = replace(release, id="before", files=())
    made = plan(Seen(containers(release), live))
    assert made.touched == 0
    assert made.release == release.id


STATES = st.sampled_from(["running", "exited", "restarting", "created", "paused", "dead"])
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "state": STATES,
        "health": st.sampled_from(["", "healthy", "unhealthy", "starting"]),
        "config": st.sampled_from(["", "x"]),
        "image_id": st.sampled_from(["", "y"]),
    },
)


@given(CHANGES, CHANGES, st.booleans(), st.integers(0, 100))
def test_plan_touches_exactly_what_differs(
    web: dict[str, Any], db: dict[str, Any], first: bool, sent: int
) -> None:
    """A service is kept if and only if it runs, isn't unhealthy, and is what was released."""
    _, release = wanted()
    seen = containers(release, web=web, db=db)
    made = plan(Seen(seen, None if first else release), sent=sent)
    for change, one in zip(made.containers, seen, strict=True):
        right = (
            one.state == "running"
            and one.health != "unhealthy"
            and one.config == release.hashes[one.service]
            and release.images[one.service].is_id(one.image_id)
        )
        assert (change.action == "keep") == right
        assert change.reason
        assert change.downtime_s == 0 or change.action == "recreate"
    assert made.empty == (not made.touched and not sent and not made.migrations)


def test_steps_say_how_they_are_undone() -> None:
    """Every step has an undo or a reason for having none; what changes anything has a belief."""
    _, release = wanted()
    observed = Observed(records=Records((release,), release.id))
    for seen, undo in ((Observed(), "take down"), (observed, f"apply {release.id}")):
        todo = steps(draft(wanted(web="2"), seen, NOW))
        assert [one.name for one in todo] == [
            "preflight", "transfer", "secrets", "files", "migrate", "up", "verify", "record",
            "prune",
        ]  # fmt: skip
        assert all(one.undo or one.reason for one in todo)
        assert {one.undo for one in todo if one.name in ("migrate", "up", "record")} == {undo}
        assert all(one.belief for one in todo if one.undo)
        assert all(set(one.to_json()) >= {"name", "undo", "reason", "belief"} for one in todo)


def test_a_database_that_starts_anew_is_asked() -> None:
    """When what the migration needs is replaced, pending migrations aren't taken for known."""
    _, release = wanted()
    made = plan(Seen(containers(release), release), db="2")
    assert [one.revision for one in made.migrations] == [""]


def test_unchanged_migrations_are_not_asked_for() -> None:
    """A new image with the live release's migrations has none to run; with others it is asked."""
    _, release = wanted()
    live = replace(release, migrations="same")
    seen = Seen(containers(release), live)
    stack, fresh = wanted(web="2")
    for known, expected in (("same", 0), ("other", 1), ("", 1)):
        made = make_plan(stack, replace(fresh, migrations=known), seen, bytes_to_send=1)
        assert len(made.migrations) == expected, known
