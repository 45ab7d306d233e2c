"""A stack that TrueNAS shows as one of its apps, and that is deployed as all others are."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.unit.demo import APP, URL, World, wanted, world

from slipway.act.deploy import deploy
from slipway.act.outcome import Outcome
from slipway.errors import DeployError
from slipway.operate.down import down
from slipway.operate.restart import restart
from slipway.operate.status import read_status
from slipway.plan.wanted import Wanted


def nas() -> World:
    """A TrueNAS on which nothing is deployed."""
    made = world()
    made.engine.is_nas, made.engine.project = True, "ix-demo"
    return made


def as_app(web: str = "1") -> Wanted:
    """The sample application, to be an app."""
    made = wanted(web=web)
    return replace(made, stack=replace(made.stack, mode="app"))


def run(made: World, what: Wanted) -> Outcome:
    """Deploy a minute later."""
    made.clock.seconds += 60
    return deploy(what, made.doors, "token").outcome


def test_truenas_is_told_once_before_anything_starts() -> None:
    """What it then starts has no container; from then on its file leads to the live release."""
    made = nas()
    known: list[str] = []

    def look() -> None:
        known.append(made.engine.nas.included)

    made.engine.broken_up = look
    assert run(made, as_app()).outcome == "deployed"
    ((method, told),) = made.engine.nas.asked
    assert (method, told["app_name"], told["custom_app"]) == ("app.create", "demo", True)
    document = told["custom_compose_config"]
    assert document["include"] == [f"{APP}/app.json"]
    assert document["services"] == {}
    (portal,) = document["x-portals"]
    assert f"{portal['scheme']}://{portal['host']}:{portal['port']}" == URL
    assert set(known) == {f"{APP}/app.json"}, "it was told before the first container was made"
    assert made.folder.links == {"app.json": "current/compose.json"}
    release = json.loads(made.folder.files[f"releases/{made.folder.live}/release.json"])
    compose = json.loads(made.folder.files[f"releases/{made.folder.live}/compose.json"])
    assert (release["mode"], compose["name"]) == ("app", "ix-demo")


def test_the_next_deploy_tells_nothing() -> None:
    """An app that is known is left as it is, with what its owner changed of it."""
    made = nas()
    run(made, as_app())
    made.engine.nas.asked.clear()
    assert run(made, as_app()).outcome == "unchanged"
    assert run(made, as_app(web="2")).outcome == "deployed"
    assert made.engine.nas.asked == []


def test_an_app_that_was_deleted_is_made_again() -> None:
    """TrueNAS ends its containers with it; neither data nor the release are its own."""
    made = nas()
    live = run(made, as_app())
    made.engine.nas.apps.clear()
    made.engine.running.clear()
    assert run(made, as_app()).outcome == "deployed"
    assert made.engine.nas.included == f"{APP}/app.json"
    assert {one.service for one in made.engine.running} == {"web", "db"}
    assert live.release in [entry.split("/")[1] for entry in made.folder.files if "/" in entry]


def test_truenas_is_told_of_nothing_that_runs() -> None:
    """It would end it first: an app that it lost alone is left lost."""
    made = nas()
    run(made, as_app())
    made.engine.nas.apps.clear()
    made.engine.nas.asked.clear()
    assert run(made, as_app()).outcome == "unchanged"
    assert run(made, as_app(web="2")).outcome == "deployed"
    assert made.engine.nas.asked == []


def test_truenas_reason_is_told_and_nothing_is_left() -> None:
    """What it says, and that nothing was touched."""
    made = nas()
    made.engine.nas.broken = "[EFAULT] Failed 'up' action for 'demo' app.\nlog"
    with pytest.raises(DeployError, match="TrueNAS") as caught:
        run(made, as_app())
    assert caught.value.exit_code in (5, 6)
    assert made.engine.running == []
    assert made.folder.live is None


def test_a_first_deploy_that_fails_leaves_no_app() -> None:
    """It would be one that can't be started."""
    made = nas()
    made.engine.sick.add("sha256:config-web-1")
    with pytest.raises(DeployError, match="web is unhealthy"):
        run(made, as_app())
    assert made.engine.nas.apps == {}
    assert made.engine.nas.asked[-1] == ("app.delete", "demo", {"remove_images": False})
    assert made.folder.links == {}
    assert "app.json" not in made.folder.files


def test_a_later_deploy_that_fails_keeps_the_app() -> None:
    """It was not this deploy's."""
    made = nas()
    run(made, as_app())
    made.engine.sick.add("sha256:config-web-2")
    with pytest.raises(DeployError, match="web is unhealthy"):
        run(made, as_app(web="2"))
    assert list(made.engine.nas.apps) == ["demo"]


def test_what_runs_again_after_a_failure_stays_an_app() -> None:
    """An app that is forgotten ends, and with it what the way back has started."""
    made = nas()
    run(made, as_app())
    made.engine.nas.apps.clear()
    made.engine.running.clear()
    made.engine.sick.add("sha256:config-web-2")
    with pytest.raises(DeployError, match="web is unhealthy"):
        run(made, as_app(web="2"))
    assert list(made.engine.nas.apps) == ["demo"]
    assert {one.image_id for one in made.engine.running} >= {"sha256:config-web-1"}
    assert made.folder.links["app.json"] == "current/compose.json"


def test_what_is_no_truenas_is_told_so() -> None:
    """Before anything is sent."""
    made = nas()
    made.engine.is_nas = False
    with pytest.raises(DeployError, match="it is no TrueNAS") as caught:
        run(made, as_app())
    assert caught.value.exit_code == 5
    assert made.engine.loads == []


def test_somebody_elses_app_of_that_name_stays() -> None:
    """A catalog's app, or one that another checkout made."""
    made = nas()
    made.engine.nas.apps["demo"] = {"include": ["/mnt/tank/other/app.json"]}
    with pytest.raises(DeployError, match="has an app demo already"):
        run(made, as_app())
    assert made.engine.nas.asked == []


def test_what_the_web_interface_started_is_ours() -> None:
    """Its containers say that they were made from TrueNAS' own file."""
    made = nas()
    run(made, as_app())
    file = "/mnt/.ix-apps/app_configs/demo/versions/1.0.0/templates/rendered/docker-compose.yaml"
    made.engine.running = [replace(one, file=file) for one in made.engine.running]
    assert run(made, as_app(web="2")).outcome == "deployed"


@pytest.mark.parametrize("back", [True, False])
def test_nobody_works_beside_the_other_mode(back: bool) -> None:
    """Two databases on one folder would destroy it: the other one is ended first, by name."""
    made = nas()
    modes = [("demo", wanted()), ("ix-demo", as_app())]
    (old, before), (new, after) = modes[:: -1 if back else 1]
    made.engine.project = old
    run(made, before)
    data = dict(made.folder.files)
    made.host.files.update({f"{APP}/{name}": content for name, content in data.items()})
    made.engine.others, made.engine.project = {}, new
    standing = made.engine.running
    other = made.engine.of(old)
    other.running, made.engine.running = standing, []
    for act in (
        lambda: run(made, after),
        lambda: restart(made.doors, "me", "token", "web"),
    ):
        with pytest.raises(DeployError, match=f"as Compose project {old} ") as caught:
            act()
        assert "./inv down" in (caught.value.hint or "")
    assert {one.state for one in read_status(made.doors).services} == {"running"}
    made.runner.engine = other
    down(made.doors, "me", "token")
    assert other.running == []
    made.runner.engine = made.engine
    assert run(made, after).outcome == "deployed"
    assert {name for name in data if name.startswith("secrets/")} <= set(made.folder.files)
