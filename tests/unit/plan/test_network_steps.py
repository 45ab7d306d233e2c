"""A changed definition of a network: what is on it, and when it is made anew."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.demo import wanted
from tests.unit.plan.stood import NETWORKED, NOW, OPENED, live, running

from slipway.ledger.records import Records
from slipway.plan.actions import Compose, Remove
from slipway.plan.draft import draft
from slipway.plan.steps import steps
from slipway.plan.steps.common import put_back
from slipway.plan.wanted import Seen
from slipway.runner.run import way_back


def test_a_changed_network_is_made_anew() -> None:
    """Containers on it go, then the network, before anything may start on it; back likewise."""
    release = live(NETWORKED)
    made = draft(wanted(OPENED), running(release), NOW)
    todo = {one.name: one for one in steps(made)}
    detached = Compose(release.id, ("rm", "--stop", "--force", "db"), 300.0)
    removed = Remove(networks=("inner",))
    assert list(todo) == [
        "files", "networks", "migrate", "up", "verify", "smoke", "soak",
        "record",
    ]  # fmt: skip
    assert todo["networks"].do == (detached, removed)
    back = (detached, removed, *put_back(release, made.plan, {}))
    for name in ("networks", "migrate", "up", "verify", "smoke", "soak", "record"):
        assert todo[name].undo == back
    sent = [one.to_json() for one in todo.values()]
    assert way_back(sent, list(todo)) == [one.to_json() for one in back]


def test_the_file_of_before_is_asked_only_for_its_own_services() -> None:
    """A service that joins a changed network is not named with a file that doesn't know it."""
    release = live(NETWORKED)
    old = replace(release, hashes={"web": release.hashes["web"]})
    seen = running(release)
    seen = replace(seen, memory=replace(seen.memory, records=Records((old,), old.id)))
    made = draft(wanted(OPENED), seen, NOW)
    todo = {one.name: one for one in steps(made)}
    assert todo["networks"].do == (Remove(networks=("inner",)),)
    assert todo["networks"].about == "inner made anew"
    assert todo["networks"].undo == (Remove(networks=("inner",)), *put_back(old, made.plan, {}))


def test_a_changed_network_alone_brings_the_services_up() -> None:
    """Where no container's own definition changed, those that were detached are still started."""
    release = live(NETWORKED)
    old = replace(release, networks={"inner": "other"})
    names = [one.name for one in steps(draft(wanted(NETWORKED), running(old), NOW))]
    assert names.index("networks") < names.index("up")


def test_a_first_deploy_has_no_network_to_change() -> None:
    """Networks that aren't there yet are Compose's to make."""
    todo = steps(draft(wanted(NETWORKED), Seen(), NOW))
    assert "networks" not in [one.name for one in todo]
