"""All data go back with a release, by a snapshot; and come again when that fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.demo import World, world
from tests.unit.operate.test_data import PENDING, migrating

from slipway.act import deploy as deploying
from slipway.act.deploy import deploy, make_draft
from slipway.errors import ConfigError, DeployBroken, DeployError
from slipway.hosts.dataset import Place
from slipway.ledger.release import Release
from slipway.operate import rollback
from slipway.operate.rollback import roll_back
from slipway.operate.standing import observe
from slipway.plan.wanted import Wanted
from slipway.runner.putback import HALF

PATH = "/pool/demo/data"
PLACE = Place("pool.snapshot", "pool/demo/data", PATH, (f"{PATH}/db",))


def kept(web: str, *revisions: str) -> Wanted:
    """What deploys with snapshots."""
    return replace(migrating(web, *revisions), snapshots=True)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> list[Place | str]:
    """What every host says of its data path: the last of these."""
    said: list[Place | str] = [PLACE]
    monkeypatch.setattr("slipway.act.place.find_place", lambda host, path: said[-1])
    return said


def deployed() -> World:
    """A host with a release, and one after it that migrated; the data tell which."""
    made = world()
    made.runner.datasets.content = "old"
    deploy(kept("1", "0001"), made.doors, "token")
    made.clock.seconds += 60
    made.engine.pending = PENDING
    deploy(kept("2", "0001", "0002"), made.doors, "token")
    made.runner.datasets.content = "new"
    made.engine.commands.clear()
    made.runner.datasets.asked.clear()
    made.host.files.update({f"/pool/demo/{name}": data for name, data in made.folder.files.items()})
    return made


def history(made: World) -> tuple[Release, ...]:
    """The releases, the live one first."""
    return made.folder.read().records.history


def verbs(made: World) -> list[str]:
    """What was done to data and by Compose's first words, in no common order."""
    return [words[0] for words in made.engine.commands]


def number(release: Release, more: str = "") -> str:
    """A snapshot of a release."""
    return f"pool/demo/data@slipway-demo-{release.id}{more}"


@pytest.mark.usefixtures("place")
def test_a_migration_begins_with_a_snapshot() -> None:
    """The first release has nothing to keep; the record and a link tell of it."""
    made = deployed()
    live, first = history(made)
    assert made.runner.datasets.taken == {number(live): "old"}
    assert (str(live.snapshot), first.snapshot) == (number(live), None)
    shown = f"{PATH}/.zfs/snapshot/slipway-demo-{live.id}"
    assert made.folder.links[f"releases/{live.id}/snapshot"] == shown
    assert made.folder.read().snapshots == (live.id,)


@pytest.mark.usefixtures("place")
def test_a_snapshot_that_fails_stops_the_deploy_before_the_migration() -> None:
    """Nothing was changed by then, and the error says how to go on."""
    made = deployed()
    made.runner.datasets.full = "out of space"
    made.engine.pending = [{"revision": "0003", "message": "more"}]
    with pytest.raises(DeployError, match="no snapshot of pool/demo/data could be taken") as caught:
        deploy(kept("3", "0001", "0002", "0003"), made.doors, "token")
    assert caught.value.stage == "snapshot"
    assert not [words for words in made.engine.commands if "migrate" in words]


def test_without_a_dataset_a_deploy_goes_on(place: list[Place | str]) -> None:
    """And its plan says why there is no snapshot."""
    place.append("it is none")
    made = deployed()
    assert not made.runner.datasets.taken
    assert made.folder.read().snapshots == ()
    made.clock.seconds += 60
    planned = make_draft(kept("3", "0001", "0002", "0003"), made.doors)
    assert planned.plan.no_snapshot == "it is none"
    assert deploying.make_draft(replace(kept("3", "1"), snapshots=False), made.doors).plan
    back = roll_back(made.doors, "me", "token", data=True)
    assert back.outcome.outcome == "rolled back"
    assert "load" in str(made.engine.commands), "by the dump"


@pytest.mark.usefixtures("place")
def test_all_data_go_back_with_the_release_and_forward_again() -> None:
    """What they were is kept; who goes forward to that release finds it."""
    made = deployed()
    live, first = history(made)
    outcome = roll_back(made.doors, "me", "token", data=True).outcome
    assert (outcome.release, outcome.outcome) == (first.id, "rolled back")
    data = made.runner.datasets
    assert data.content == "old"
    assert data.taken == {number(live): "old", number(live, "-left"): "new"}
    assert verbs(made)[0] == "down"
    said = made.talk.getvalue()
    when = f"{live.created[:19].replace('T', ' ')} UTC ({number(live)})"
    assert (
        f"everything below {PATH} goes back to what it was before {live.id} migrated it, {when}"
        in said
    )
    assert "what was written since is lost" in said
    assert f"the data as they are now stay in {number(live, '-left')}" in said
    assert "everything is stopped: " in said
    assert made.folder.read().left == (live.id,)
    made.clock.seconds += 60
    forward = roll_back(made.doors, "me", "token", to=live.id, data=True).outcome
    assert forward.release == live.id
    assert data.content == "new"
    assert f"what it was when {live.id} was left ({number(live, '-left')})" in made.talk.getvalue()
    assert HALF not in made.folder.files
    data.content = "newest"
    made.clock.seconds += 60
    roll_back(made.doors, "me", "token", to=first.id, data=True)
    assert (data.content, data.taken[number(live, "-left")]) == ("old", "newest")


@pytest.mark.usefixtures("place")
def test_the_next_deploy_forgets_the_release_that_was_left() -> None:
    """With both of its snapshots; one that is held stays, and it is told."""
    made = deployed()
    live, _ = history(made)
    roll_back(made.doors, "me", "token", data=True)
    made.clock.seconds += 60
    made.runner.datasets.held.add(number(live))
    made.engine.pending = []
    deploy(kept("4", "0001"), made.doors, "token")
    assert list(made.runner.datasets.taken) == [number(live)]
    assert "stays: cannot destroy" in made.talk.getvalue()


@pytest.mark.usefixtures("place")
def test_a_way_back_that_fails_has_all_data_again() -> None:
    """When the release before does not come up, everything is as it was when it was left."""
    made = deployed()
    live, first = history(made)
    made.engine.sick.add(first.images["web"].config_digest)
    with pytest.raises(DeployError, match=f"{live.id} is serving again"):
        roll_back(made.doors, "me", "token", data=True)
    assert made.runner.datasets.content == "new"
    done = [
        one[-1].rpartition("-")[2] for one in made.runner.datasets.asked if one[0] == "put back"
    ]
    assert done[-1] == "left"
    assert verbs(made).count("down") == 2
    assert HALF not in made.folder.files


@pytest.mark.usefixtures("place")
def test_what_could_not_be_put_back_is_served_by_nobody() -> None:
    """Neither a deploy nor a restart starts anything; the same way back again does it."""
    made = deployed()
    live, first = history(made)
    data = made.runner.datasets
    data.broken = {f"slipway-demo-{live.id}", f"slipway-demo-{live.id}-left"}
    with pytest.raises(DeployBroken):
        roll_back(made.doors, "me", "token", data=True)
    assert (data.content, verbs(made)[-1]) == ("half", "down")
    assert not made.engine.running
    assert made.folder.files[HALF].decode() == f"slipway-demo-{live.id}-left\n"
    assert "put back by half" in made.folder.read().warnings[-1]
    for act in (
        lambda: deploy(kept("2", "0001", "0002"), made.doors, "token"),
        lambda: observe(made.doors, "me", wait=False),
        lambda: roll_back(made.doors, "me", "token"),
    ):
        with pytest.raises(DeployError, match="by half only"):
            act()
    assert not made.engine.running
    data.broken = set()
    roll_back(made.doors, "me", "token", data=True)
    assert (data.content, data.taken[number(live, "-left")]) == ("old", "new")
    assert history(made)[0].id == first.id
    assert HALF not in made.folder.files


@pytest.mark.parametrize(
    ("said", "why"),
    [("gone", "gone"), (replace(PLACE, root=False), "only root can put files back")],
)
def test_a_place_that_can_not_be_written_is_refused(
    place: list[Place | str], said: Any, why: str
) -> None:
    """Before anything is stopped."""
    made = deployed()
    place.append(said)
    with pytest.raises(DeployError, match=f"{why}.*nothing was changed"):
        roll_back(made.doors, "me", "token", data=True)
    assert not made.engine.commands


@pytest.mark.usefixtures("place")
def test_nothing_is_done_before_somebody_is_sure() -> None:
    """Who is asked has read what is lost."""
    made = deployed()

    def no() -> None:
        assert "is lost" in made.talk.getvalue()
        raise ConfigError("no")

    with pytest.raises(ConfigError):
        roll_back(made.doors, "me", "token", data=True, sure=no)
    assert not made.engine.commands
    assert rollback.roll_back(made.doors, "me", "token", sure=no).outcome, "no data, no question"


@pytest.mark.usefixtures("place")
def test_without_room_all_is_as_it_was() -> None:
    """It is seen before a file is touched, but not on the way back, which has to be tried."""
    made = deployed()
    live, _ = history(made)
    made.runner.datasets.narrow = True
    with pytest.raises(DeployError, match=f"too little room; {live.id} is serving again"):
        roll_back(made.doors, "me", "token", data=True)
    assert made.runner.datasets.content == "new"
    assert HALF not in made.folder.files
