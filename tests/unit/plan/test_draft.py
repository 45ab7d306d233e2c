"""What a draft hands on to those that decide a part of it."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.demo import COMPOSE, wanted
from tests.unit.plan.test_changes import NETWORKS, NOW, containers, made_of, plan, seen

from slipway.ledger.records import Memory, Records
from slipway.plan.draft import draft
from slipway.plan.wanted import Seen
from slipway.runner.containers import Made

LINKED = COMPOSE.replace(
    "depends_on: [db]", "depends_on: { db: { condition: service_started, restart: true } }", 1
)


def test_the_live_version_of_a_secret_is_kept_not_the_newest() -> None:
    """A version that was refused and undone still lies on the host."""
    _, release = made_of()
    files = ("secrets/acl/1", "secrets/db_password/1", "secrets/db_password/2")
    memory = Memory(Records((release,), release.id), files=files)
    made = draft(wanted(), Seen(memory), NOW)
    assert made.release.secrets == release.secrets == {"acl": 1, "db_password": 1}


def test_what_somebody_did_to_a_container_is_planned_to_be_mended() -> None:
    """A container is compared with what the Compose file makes of it."""
    _, release = made_of()
    other = Made(environment=(("GREETING", "another"),), networks=("demo_default",))
    on = seen(containers(release, web={"made": other}), release)
    change = next(one for one in draft(wanted(), on, NOW).plan.containers if one.service == "web")
    said = "has another value of the variable GREETING; has nothing mounted at /edge"
    assert (change.action, change.reason) == ("recreate", said)


def test_the_record_says_which_services_have_a_health_check() -> None:
    """By it the host knows of which containers it has to wait for one."""
    assert made_of()[1].checked == ("web",)


def test_who_goes_down_with_a_network_is_down_for_a_while() -> None:
    """As long as when the service itself had changed."""
    _, release = made_of(NETWORKS)
    live = replace(release, id="before", networks={**release.networks, "outer": "other"})
    down = plan(seen(containers(release), live), NETWORKS).downtimes
    changed = plan(seen(containers(release, web={"config": ""}), release), NETWORKS).downtimes
    assert down == changed
    assert down["web"] > 0


def test_who_restarts_with_another_is_down_for_a_while() -> None:
    """Whatever service of those before it is not concerned."""
    _, release = made_of(LINKED)
    down = plan(seen(containers(release, db={"config": ""}), release), LINKED).downtimes
    assert set(down) == {"web", "db"}
    assert down["web"] > 0
