"""Plans: what changes, why, and nothing when nothing does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.demo import COMPOSE, wanted

from slipway.hosts.inspect import EngineState
from slipway.ledger.records import Memory, Records
from slipway.ledger.release import Release
from slipway.plan.changes import make_plan
from slipway.plan.draft import draft
from slipway.plan.values import DefinitionChange, PendingMigration, Plan
from slipway.plan.wanted import Seen
from slipway.runner.containers import Container
from slipway.stack.model import Stack

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def made_of(text: str = COMPOSE, **changes: Any) -> tuple[Stack, Release]:
    """A stack and the release it makes."""
    made = draft(wanted(text, **changes), Seen(), NOW)
    return made.wanted.stack, made.release


def seen(containers: tuple[Container, ...] = (), live: Release | None = None) -> Seen:
    """A host with these containers and this live release."""
    records = Records((live,), live.id) if live else Records()
    return Seen(Memory(records), EngineState(containers=containers))


def containers(release: Release, **changes: dict[str, Any]) -> tuple[Container, ...]:
    """The containers a release comes to, with some changed."""
    found = []
    for service, config in release.hashes.items():
        digest = release.images[release.roles[service]].config_digest
        one = Container(service, f"id-{service}", service, digest, "running", "", config=config)
        found.append(replace(one, **changes.get(service, {})))
    return tuple(found)


def plan(on: Seen, text: str = COMPOSE, sent: int = 0, **changes: Any) -> Plan:
    """The plan for the sample stack."""
    stack, release = made_of(text, **changes)
    return make_plan(stack, release, on, bytes_to_send=sent)


def actions(made: Plan) -> dict[str, tuple[str, str]]:
    """Service to action and reason."""
    return {one.service: (one.action, one.reason) for one in made.containers}


def test_plan_has_the_promised_fields() -> None:
    """``plan --json`` prints exactly the promised fields."""
    value = plan(seen(), sent=7).to_json()
    assert value == {
        "release": value["release"],
        "bytes_to_send": 7,
        "downtime_s": 0,
        "containers": [
            {"service": "web", "action": "create", "reason": "not running", "downtime_s": 0},
            {"service": "db", "action": "create", "reason": "not running", "downtime_s": 0},
        ],
        "migrations": [
            {
                "revision": "",
                "message": "known once the database, which is started anew, was asked",
                "downtime": False,
            }
        ],
        "definitions": [],
        "lost": [],
        "reloads": [],
        "register": "",
        "snapshot": None,
        "no_snapshot": "",
        "pull": None,
        "outage": [],
    }
    assert list(value) == [
        "release", "bytes_to_send", "downtime_s", "containers", "migrations", "definitions",
        "lost", "reloads", "register", "snapshot", "no_snapshot", "pull", "outage",
    ]  # fmt: skip


def test_nothing_changed_is_nothing_to_do() -> None:
    """With the live release running as recorded the plan is empty and names that release."""
    _, release = made_of()
    live = replace(release, id="before")
    made = plan(seen(containers(release), live))
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
    _, release = made_of()
    made = plan(seen(containers(release, web=change), release))
    assert actions(made) == {"web": ("recreate", reason), "db": ("keep", "unchanged")}
    assert made.touched == 1


def test_manifest_digest_is_the_image_too() -> None:
    """With the containerd store Docker's image id is the manifest's digest."""
    _, release = made_of()
    ids = {"image_id": release.images["web"].manifest_digest}
    assert plan(seen(containers(release, web=ids), release)).touched == 0


def test_changed_secret_is_named() -> None:
    """A service whose secret has a new version says which."""
    _, release = made_of()
    live = replace(release, secrets={**release.secrets, "db_password": 0})
    made = plan(seen(containers(release, db={"config": "older"}), live))
    assert actions(made)["db"] == ("recreate", "secret changed: db_password")


def test_of_several_secrets_only_the_changed_one_is_named() -> None:
    """A service may have others, which are as they were."""
    text = COMPOSE.replace("secrets: [db_password]", "secrets: [acl, db_password]")
    stack, release = made_of(text)
    release = replace(release, secrets={"acl": 1, "db_password": 2})
    live = replace(release, secrets={"acl": 1, "db_password": 1})
    on = seen(containers(release, db={"config": "older"}), live)
    made = make_plan(stack, release, on, bytes_to_send=0)
    assert actions(made)["db"] == ("recreate", "secret changed: db_password")


def test_service_that_is_gone_is_removed() -> None:
    """A container of a service the stack no longer has is removed; one-off ones are left."""
    _, release = made_of()
    extra = Container("old", "x", "old", "i", "running")
    once = Container("job", "y", "job", "i", "running", one_off=True)
    made = plan(seen((*containers(release), extra, once), release))
    assert actions(made)["old"][0] == "remove"
    assert "job" not in actions(made)


def test_downtime_is_from_the_services_own_settings() -> None:
    """Downtime is a tenth of the stop grace period and the time to the first health check."""
    _, release = made_of()
    old = {"image_id": "old"}
    made = plan(seen(containers(release, web=old, db=old), release))
    assert [one.downtime_s for one in made.containers] == [3.0, 3.0]


def test_dependents_that_restart_are_in_the_plan() -> None:
    """``depends_on`` with ``restart: true`` takes the dependent along."""
    text = COMPOSE.replace(
        "depends_on: [db]\n    configs",
        "depends_on: {db: {condition: service_started, restart: true}}\n    configs",
    )
    _, release = made_of(text)
    made = plan(seen(containers(release, db={"image_id": "old"}), release), text)
    assert actions(made)["web"] == ("recreate", "restarts with db")


def test_missing_replica_is_seen() -> None:
    """A service that should have two containers but has one is completed."""
    text = COMPOSE.replace("{ role: db }", "{ role: db, roll: beside }")
    text = text.replace("stop_grace_period: 20s", "deploy: { replicas: 2 }")
    _, release = made_of(text)
    made = plan(seen(containers(release), release), text)
    assert actions(made)["db"] == ("roll", "1 containers run instead of 2")


def test_a_service_scaled_to_nothing_is_no_work() -> None:
    """Where no container is wanted and none is there, nothing is to be done."""
    text = COMPOSE.replace("stop_grace_period: 20s", "deploy: { replicas: 0 }")
    _, release = made_of(text)
    running = containers(release)
    without = tuple(one for one in running if one.service != "db")
    made = plan(seen(without, release), text)
    assert actions(made)["db"] == ("keep", "none is wanted")
    assert made.empty
    assert actions(plan(seen(running, release), text))["db"][0] == "recreate"


def test_surplus_replica_is_seen() -> None:
    """Three containers run and two are wanted: the plan says so, and that is work to do."""
    text = COMPOSE.replace("{ role: db }", "{ role: db, roll: beside }")
    text = text.replace("stop_grace_period: 20s", "deploy: { replicas: 2 }")
    _, release = made_of(text)
    running = containers(release)
    (db,) = (one for one in running if one.service == "db")
    more = tuple(replace(db, id=f"id-db-{number}") for number in (2, 3))
    assert plan(seen((*running, more[0]), release), text).empty
    made = plan(seen((*running, *more), release), text)
    assert actions(made)["db"] == ("roll", "3 containers run instead of 2")
    assert not made.empty


@pytest.mark.parametrize("state", ["running", "exited"])
def test_what_ran_once_is_no_replica(state: str) -> None:
    """A container that `run` started beside a service neither adds to it nor stands for it."""
    _, release = made_of()
    running = containers(release)
    once = replace(running[1], id="once", one_off=True, state=state, config="other")
    assert once.service == "db"
    assert plan(seen((*running, once), release)).empty
    alone = plan(seen((running[0], once), release))
    assert actions(alone)["db"] == ("create", "not running")


def test_migrations_follow_the_migrating_image() -> None:
    """None with an unchanged image; else unknown until the image is there."""
    _, release = made_of()
    assert plan(seen(containers(release), release)).migrations == ()
    unknown = plan(seen(containers(release), release), web="2").migrations
    assert unknown == (PendingMigration("", "known once the new image is on the host"),)


def test_migrations_are_named_by_their_files() -> None:
    """Where their folder is known, those that the live release had not are named."""
    stack, fresh = made_of(web="2")
    _, live = made_of()
    fresh = replace(fresh, migrations="new", revisions=("0001", "0002", "0003"))
    on = seen(containers(live), replace(live, migrations="old", revisions=("0001",)))
    made = make_plan(stack, fresh, on, bytes_to_send=1)
    assert made.migrations == (PendingMigration("0002", ""), PendingMigration("0003", ""))
    first = make_plan(stack, fresh, seen(), bytes_to_send=1)
    assert [one.revision for one in first.migrations] == ["0001", "0002", "0003"]


def test_release_that_differs_in_a_file_nobody_mounts_is_recorded() -> None:
    """When only the record would differ, it is a release of its own that touches nothing."""
    _, release = made_of()
    live = replace(release, id="before", files=())
    made = plan(seen(containers(release), live))
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
    _, release = made_of()
    running = containers(release, web=web, db=db)
    made = plan(seen(running, None if first else release), sent=sent)
    for change, one in zip(made.containers, running, strict=True):
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


def test_a_database_that_starts_anew_is_asked() -> None:
    """When what the migration needs is replaced, pending migrations aren't taken for known."""
    _, release = made_of()
    made = plan(seen(containers(release), release), db="2")
    assert [one.revision for one in made.migrations] == [""]


def test_unchanged_migrations_are_not_asked_for() -> None:
    """A new image with the live release's migrations has none to run; with others it is asked."""
    _, release = made_of()
    live = replace(release, migrations="same")
    on = seen(containers(release), live)
    stack, fresh = made_of(web="2")
    for known, expected in (("same", 0), ("other", 1), ("", 1)):
        made = make_plan(stack, replace(fresh, migrations=known), on, bytes_to_send=1)
        assert len(made.migrations) == expected, known


NETWORKS = (
    COMPOSE
    + """
networks: { inner: { internal: true }, outer: {}, theirs: { external: true } }
volumes: { pile: { driver_opts: { type: tmpfs } } }
"""
)
NETWORKS = NETWORKS.replace("secrets: [db_password]", "networks: [inner]\n    volumes: ['pile:/p']")
NETWORKS = NETWORKS.replace("configs: [edge]", "configs: [edge]\n    networks: [outer]", 1)


def test_changed_network_is_made_anew() -> None:
    """Its definition is compared; the services on it are named, and those elsewhere aren't."""
    _, release = made_of(NETWORKS)
    on = seen(containers(release), replace(release, id="before"))
    assert plan(on, NETWORKS).empty
    made = plan(on, NETWORKS.replace("internal: true", "internal: false"))
    assert made.definitions == (DefinitionChange("network", "inner", "recreate", ("db",)),)
    assert actions(made) == {
        "web": ("keep", "unchanged"), "db": ("recreate", "configuration changed"),
    }  # fmt: skip


def test_changed_network_is_work_though_no_container_changed() -> None:
    """A release whose record has another network is not what is wanted, whatever runs."""
    _, release = made_of(NETWORKS)
    live = replace(release, id="before", networks={**release.networks, "outer": "other"})
    made = plan(seen(containers(release), live), NETWORKS)
    assert [(one.name, one.services) for one in made.definitions] == [("outer", ("web",))]
    assert (made.touched, made.empty, made.release) == (1, False, release.id)
    assert actions(made)["web"] == ("recreate", "the network outer is made anew")


def test_networks_of_others_and_new_ones_are_no_change() -> None:
    """Only what the live release had, of our own making, can have changed."""
    _, release = made_of(NETWORKS)
    live = replace(release, id="before", networks={}, volumes={})
    assert plan(seen(containers(release), live), NETWORKS).definitions == ()
    assert "theirs" not in release.networks
    other = NETWORKS.replace("external: true", "external: true, name: other")
    assert plan(seen(containers(release), release), other).definitions == ()


def test_a_record_without_networks_trusts_the_services_on_them() -> None:
    """An old record does not say what a network was; a service on it that changed may tell."""
    _, release = made_of(NETWORKS)
    old = replace(release, id="before", networks={}, hashes={**release.hashes, "db": "other"})
    made = plan(seen(containers(release), old), NETWORKS)
    assert [(one.name, one.action) for one in made.definitions] == [("inner", "recreate")]


def test_work_that_ended_is_not_begun_again() -> None:
    """A service that another waits for to end is kept when it did, with 0; else it is made anew."""
    text = COMPOSE.replace(
        "depends_on: [db]\n    configs",
        "depends_on: { db: { condition: service_completed_successfully } }\n    configs",
    )
    _, release = made_of(text)
    for code, action in ((0, "keep"), (1, "recreate")):
        there = containers(release, db={"state": "exited", "exit_code": code})
        assert actions(plan(seen(there, release), text))["db"][0] == action


def test_changed_volume_is_refused() -> None:
    """A volume can't be made anew without its data, so the plan says that it will be refused."""
    _, release = made_of(NETWORKS)
    made = plan(seen(containers(release), release), NETWORKS.replace("tmpfs", "nfs"))
    assert made.definitions == (DefinitionChange("volume", "pile", "refuse"),)
    assert made.to_json()["definitions"] == [
        {"kind": "volume", "name": "pile", "action": "refuse", "services": []}
    ]


def test_a_volume_of_another_name_is_a_new_one() -> None:
    """Under another of Docker's names it is made beside the old one, which keeps its data."""
    _, release = made_of(NETWORKS)
    seen_before = seen(containers(release), release)
    other = NETWORKS.replace("pile: {", "pile: { name: heap,")
    assert other != NETWORKS
    assert plan(seen_before, other).definitions == ()
