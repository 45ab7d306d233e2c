"""Deploys on a host that has lost a part of the live release, or its record."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.act.runs import first, run
from tests.unit.demo import COMPOSE, World, wanted, world

from slipway.act.deploy import deploy, make_draft
from slipway.app.present import plan_text
from slipway.errors import ConfigError, DeployError, SlipwayError
from slipway.operate.down import down
from slipway.operate.releases import listed, releases_json, releases_text
from slipway.operate.restart import restart
from slipway.operate.rollback import roll_back
from slipway.operate.scale import scale
from slipway.operate.status import read_status, status_text
from slipway.plan.wanted import Seen

ROLLED = COMPOSE.replace(
    """    x-slipway: { role: web }
    image: "${WEB_IMAGE:?}"
    ports: [{ target: 80, published: "8080", protocol: tcp }]
""",
    """    x-slipway: { role: web, roll: beside }
    image: "${WEB_IMAGE:?}"
""",
)


def file(release: str) -> str:
    """A release's Compose file."""
    return f"releases/{release}/compose.json"


def known(made: World) -> World:
    """The same host, whose files can be read one by one."""
    made.host.files.update({f"/pool/demo/{name}": data for name, data in made.folder.files.items()})
    return made


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_nothing_is_changed_when_the_way_back_is_lost(content: bytes | None) -> None:
    """Gone, cut or another one: the plan shows it, and the deploy is refused with a way out."""
    made = world()
    live = first(made).release
    if content is None:
        del made.folder.files[file(live)]
    else:
        made.folder.files[file(live)] = content
    before, requests = list(made.engine.running), len(made.runner.requests)
    text = plan_text(make_draft(wanted(web="2"), made.doors).plan)
    assert f"the Compose file {file(live)}  stays lost" in text
    assert text.endswith("a deploy is refused: web could not be brought back")
    with pytest.raises(DeployError, match=r"could not be brought back; nothing") as caught:
        run(made, web="2")
    assert (caught.value.exit_code, caught.value.stage) == (5, "preflight")
    assert "that writes it anew; or, without a way back: remove" in str(caught.value.hint)
    assert (made.engine.running, len(made.runner.requests)) == (before, requests)
    assert made.engine.loads == []
    assert f"warning: of the live release nas has lost the Compose file {file(live)}" in (
        made.talk.getvalue()
    )


def test_the_same_checkout_heals_it() -> None:
    """No container is touched, and the next deploy has a way back again."""
    made = world()
    live = first(made).release
    kept = made.folder.files.pop(file(live))
    assert "is written anew" in plan_text(make_draft(wanted(), made.doors).plan)
    outcome = run(made)
    assert (outcome.outcome, outcome.containers_touched) == ("deployed", 0)
    assert made.folder.files[file(live)] == kept
    assert run(made).outcome == "unchanged"
    assert run(made, web="2").outcome == "deployed"


def test_the_ways_out_of_the_hint_lead_out() -> None:
    """Without the record and the link the next deploy takes over what runs."""
    made = world()
    live = first(made).release
    del made.folder.files[file(live)]
    made.folder.remove([f"releases/{live}"])
    made.folder.current = ""
    assert run(made, web="2").outcome == "deployed"
    other = world()
    first(other)
    secret = other.folder.files.pop("secrets/db_password/1")
    with pytest.raises(DeployError, match="secrets/db_password/1: db could not be brought back"):
        run(other)
    down(known(other).doors, "me", "token")
    assert run(other).outcome == "deployed"
    assert other.folder.files["secrets/db_password/2"] != secret


def test_what_rolls_goes_back_to_its_containers() -> None:
    """The release that was live is live again, and its containers stand as they did."""
    made = world()
    deploy(wanted(ROLLED), made.doors, "token")
    live, before = made.folder.live, list(made.engine.running)
    del made.folder.files[file(str(live))]
    made.engine.sick.add("sha256:config-web-2")
    made.clock.seconds += 60
    with pytest.raises(DeployError, match=f"{live} is serving again"):
        deploy(wanted(ROLLED, web="2"), made.doors, "token")
    assert made.folder.live == live
    assert sorted(one.id for one in made.engine.running) == sorted(one.id for one in before)
    made.engine.sick.clear()
    made.clock.seconds += 60
    assert deploy(wanted(ROLLED, web="3"), made.doors, "token").outcome.outcome == "deployed"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ROLLED, "; what ran before is serving again"),
        (COMPOSE, "; what ran before (of web as far as it was not stopped yet) is serving again"),
    ],
)
def test_without_a_record_it_says_what_serves(text: str, said: str) -> None:
    """Nobody took down what was found there."""
    made = world()
    deploy(wanted(text), made.doors, "token")
    made.folder.remove([f"releases/{made.folder.live}"])
    made.folder.current = ""
    made.engine.sick.add("sha256:config-web-2")
    with pytest.raises(DeployError) as caught:
        deploy(wanted(text, web="2"), made.doors, "token")
    assert caught.value.message.endswith(said)
    assert {one.service for one in made.engine.running} == {"web", "db"}


def test_a_rollback_needs_a_way_back_too() -> None:
    """Of the live release, when the one that it goes to has to stop something."""
    made = world()
    old, live = first(made).release, run(made, web="2").release
    del made.folder.files[file(live)]
    with pytest.raises(DeployError, match="web could not be brought back; nothing was changed"):
        roll_back(known(made).doors, "me", "token")
    assert made.folder.live == live
    run(made, web="2")
    del made.folder.files[file(old)], made.host.files[f"/pool/demo/{file(old)}"]
    with pytest.raises(DeployError, match="can't be made live again") as caught:
        roll_back(made.doors, "me", "token", to=old)
    assert caught.value.details == (f"the Compose file {file(old)}",)


def test_status_tells_of_what_is_lost() -> None:
    """As a difference of the release's own."""
    made = known(world())
    live = first(made).release
    known(made)
    assert read_status(made.doors).well
    made.folder.files[file(live)] = b"{"
    made.host.files[f"/pool/demo/{file(live)}"] = b"{"
    status = read_status(made.doors)
    (drift,) = status.drift
    assert drift.to_json() == {"service": "", "what": f"has lost the Compose file {file(live)}"}
    assert f"  the release has lost the Compose file {file(live)}" in status_text(status)
    assert not status.well


def test_one_old_record_that_is_cut_stops_nothing() -> None:
    """It is told everywhere, and the next deploy removes it."""
    made = world()
    old, live = first(made).release, run(made, web="2").release
    path = f"releases/{old}/release.json"
    made.folder.files[path] = made.folder.files[path][:100]
    known(made)
    warning = f"nas:/pool/demo/{path} is no JSON"
    status = read_status(made.doors)
    assert (status.release, len(status.warnings), status.drift) == (live, 1, ())
    assert warning in status_text(status)
    found = listed(Seen(made.folder.read(), made.engine.state()))
    assert [(one.id, one.live) for one in found] == [(live, True), (old, False)]
    (entry,) = releases_json(found)[1:]
    assert set(entry) == set(releases_json(found)[0])
    assert (entry["kept"], entry["created"]) == (False, "")
    assert str(entry["lost"]).startswith(f"['the record: {warning}")
    text = releases_text(found)
    assert warning in text
    assert text.endswith("goes with the next deploy")
    restart(made.doors, "me", "token", "web")
    with pytest.raises(DeployError, match=f"record of {old}, which was live before, can't be"):
        roll_back(made.doors, "me", "token")
    assert run(made, web="3").outcome == "deployed"
    assert made.talk.getvalue().count(f"warning: {warning}") == 3
    assert path not in made.folder.files
    assert read_status(known(made).doors).warnings == ()


def test_a_live_record_that_is_cut_is_refused_with_a_way_out() -> None:
    """But for the list, which shows it."""
    made = world()
    live = first(made).release
    made.folder.files[f"releases/{live}/release.json"] = b""
    for work in (lambda: run(made), lambda: read_status(made.doors)):
        with pytest.raises(DeployError, match="is no JSON") as caught:
            work()
        assert "remove its folder" in str(caught.value.hint)
    (one,) = listed(Seen(made.folder.read(), made.engine.state()))
    assert (one.id, one.live) == (live, True)
    assert "live" in releases_text((one,)).splitlines()[1].split()
    assert "goes with" not in releases_text((one,))


@pytest.mark.parametrize("work", [
    lambda made: restart(made.doors, "me", "token", "db"),
    lambda made: scale(made.doors, "me", "token", {"db": 1}),
])  # fmt: skip
def test_a_stack_that_is_down_is_not_brought_up_by_halves(work: Callable[[World], object]) -> None:
    """Nothing is asked of the host; deploy brings up all of it."""
    made = world()
    first(made)
    down(known(made).doors, "me", "token")
    requests = len(made.runner.requests)
    with pytest.raises(DeployError, match="the stack is down on nas; nothing was changed") as error:
        work(made)
    assert (error.value.exit_code, error.value.hint) == (5, "./inv deploy brings it up")
    assert len(made.runner.requests) == requests
    assert made.engine.running == []
    run(made)
    work(known(made))


def test_status_says_who_took_it_down() -> None:
    """Instead of naming everything that is missing; until it is brought up again."""
    made = world()
    live = first(made).release
    down(known(made).doors, "anna@desk", "token")
    status = read_status(known(made).doors)
    assert status.down is not None
    assert status.to_json()["down"] == {"who": "anna@desk", "at": status.down.at}
    assert (status.drift, status.well, status.release) == ((), False, live)
    when = status.down.at[:19].replace("T", " ")
    assert status_text(status) == (
        f"nas: {live}\n\nwas taken down by anna@desk at {when} (UTC); data was kept. ./inv deploy "
        "brings it back"
    )
    run(made)
    assert read_status(known(made).doors).down is None
    made.engine.running = []
    lost = read_status(made.doors)
    assert (lost.down, [one.what for one in lost.drift]) == (None, ["missing", "missing"])


def test_what_stands_though_it_was_taken_down_is_compared() -> None:
    """Somebody brought a part of it up by hand."""
    made = world()
    first(made)
    there = made.engine.running[:1]
    down(known(made).doors, "me", "token")
    made.engine.running = list(there)
    status = read_status(known(made).doors)
    assert (status.down, [one.what for one in status.drift]) == (None, ["missing"])


@pytest.mark.parametrize("work", [
    lambda made: roll_back(made.doors, "me", "token", to="nope"),
    lambda made: scale(made.doors, "me", "token", {"nope": 2}),
    lambda made: restart(made.doors, "me", "token", "nope"),
])  # fmt: skip
def test_a_wrong_name_on_the_command_line_is_its_fault(work: Callable[[World], object]) -> None:
    """By its exit code; the message tells what there is."""
    made = world()
    first(made)
    with pytest.raises(SlipwayError) as caught:
        work(known(made))
    assert (type(caught.value), caught.value.exit_code) == (ConfigError, 2)
    assert caught.value.hint
