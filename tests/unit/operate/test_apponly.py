"""What a host of TrueNAS alone can't do is refused in a sentence, with what can be done instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.demo import World, wanted, world

from slipway.act.deploy import deploy
from slipway.act.doors import Doors
from slipway.act.project import same_project
from slipway.act.run import Errand
from slipway.act.seeing import see, see_after
from slipway.errors import DeployError
from slipway.operate.down import down
from slipway.operate.restart import restart
from slipway.operate.rollback import roll_back
from slipway.operate.running import execute, logs, run_once
from slipway.operate.scale import scale
from slipway.operate.standing import compose_of, live_draft
from slipway.plan.registering import LIVE
from slipway.plan.restart import restart as planned
from slipway.plan.restart import steps


def deployed() -> World:
    """A host that was deployed to, which only TrueNAS may be asked for now."""
    made = world()
    deploy(wanted(), made.doors, "token")
    files = {f"/pool/demo/{path}": data for path, data in made.folder.files.items()}
    made.host.files.update(files)
    made.doors = replace(made.doors, only=True)
    return made


REFUSED: dict[str, tuple[Callable[[Doors], object], str]] = {
    "logs": (lambda one: logs(one, "web", follow=False, lines=9, since="1h"), "Workloads > Logs"),
    "exec": (lambda one: execute(one, "web", ("true",)), "Workloads > Shell"),
    "run": (lambda one: run_once(one, "job", ("true",)), "Workloads > Shell"),
    "scale": (lambda one: scale(one, "me", "token", {"web": 2}), "docker-compose.override.yml"),
    "data": (lambda one: roll_back(one, "me", "token", data=True), "Manage Snapshots"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_takes_docker_is_refused(case: str) -> None:
    """With the way by TrueNAS' web interface, and before anything is done."""
    made = deployed()
    if case == "data":
        deploy(wanted(web="2"), replace(made.doors, only=False), "token2")
    made.engine.commands.clear()
    doing, way = REFUSED[case]
    with pytest.raises(DeployError, match="nothing was changed") as caught:
        doing(made.doors)
    assert "right to Docker, which nobody has on nas" in caught.value.message
    assert way in (caught.value.hint or "")
    assert made.engine.commands == []


def test_logs_are_told_by_truenas() -> None:
    """Of a service or of all, its last lines or what comes, too."""
    made = deployed()
    made.host.on("python3", reply=b"")
    ids = {one.service: one.id for one in made.engine.running}
    assert logs(made.doors, "web", follow=False, lines=9, since="") == 0
    assert logs(made.doors, "", follow=True, lines=0, since="") == 0
    one, every = (words[3:] for words in made.host.calls if words[0] == "python3")
    assert one == ("demo", "9", "once", f"web={ids['web']}")
    assert every[:3] == ("demo", "1", "follow")
    assert set(every[3:]) == {f"{name}={number}" for name, number in ids.items()}
    made.engine.running.clear()
    with pytest.raises(DeployError, match="web has no container on nas"):
        logs(made.doors, "web", follow=False, lines=9, since="")


def test_the_request_names_the_app_and_no_docker() -> None:
    """Nor an edge, which nobody can ask."""
    made = deployed()
    live = made.folder.read().records.live
    assert live is not None
    errand = Errand("r", "restart", "me", replace(live, edge={"service": "e", "socket": "s"}),
                    live.id, (), "done", {})  # fmt: skip
    only, all_ = errand.request(made.doors), errand.request(replace(made.doors, only=False))
    assert only["apps"] == "demo"
    assert "docker" not in only
    assert (only["edge"], all_["edge"]) == (None, {"service": "e", "socket": "s"})
    assert all_["docker"] == "docker"
    assert "apps" not in all_


def test_what_is_seen_is_credited_to_the_live_release() -> None:
    """As long as the app includes its file."""
    made = deployed()
    for one in list(made.engine.running):
        made.engine.crash(one.service, config="")
    assert {one.config for one in see(made.doors).engine.containers} == {""}
    made.folder.link("app.json", LIVE)
    assert all(one.config for one in see(made.doors).engine.containers)
    assert {one.config for one in see(replace(made.doors, only=False)).engine.containers} == {""}


def test_what_is_shown_after_a_deploy_is_by_image_ids() -> None:
    """TrueNAS tells references, and of no label."""
    made = deployed()
    live = made.folder.read().records.live
    assert live is not None
    for one in list(made.engine.running):
        made.engine.crash(one.service, config="", image_id=live.images[one.service].reference)
    shown = see_after(made.doors, live)
    assert [(one.image_id, one.config) for one in shown] == [
        (live.images[one.service].config_digest, live.hashes[one.service]) for one in shown
    ]
    plain = see_after(replace(made.doors, only=False), live)
    assert {one.config for one in plain} == {""}


def test_a_restart_says_that_all_stop() -> None:
    """Before it is done."""
    made = deployed()
    made.folder.link("app.json", LIVE)
    seen = see(made.doors)
    live = seen.memory.records.live
    assert live is not None
    draft = planned(live_draft(made.doors, "me", seen, compose_of(made.doors, live)), "web")
    assert [one.name for one in steps(draft)] == ["restart"]
    with pytest.raises(Exception):  # noqa: B017 - the fake host knows no TrueNAS
        restart(made.doors, "me", "token", "web")
    assert "all services stop while TrueNAS starts them anew" in made.talk.getvalue()


def another() -> World:
    """A host whose stack was deployed as a project that TrueNAS does not tell of."""
    made = deployed()
    made.engine.project = "ix-demo"
    made.engine.running.clear()
    return made


def test_what_may_run_as_another_project_is_not_worked_beside() -> None:
    """It would have the same data; `down`, which can't end it, does not say that it did."""
    made = another()
    doing: tuple[Callable[[], object], ...] = (
        lambda: deploy(wanted(web="2"), made.doors, "token2"),
        lambda: down(made.doors, "me", "token2"),
        lambda: roll_back(made.doors, "me", "token2"),
    )
    for one in doing:
        with pytest.raises(DeployError, match="nobody may ask there whether it still") as caught:
            one()
        assert 'mode = "compose"' in (caught.value.hint or "")
    assert made.folder.read().down is None


@pytest.mark.parametrize("case", ["taken down", "an app by now"])
def test_another_project_that_does_not_run_is_in_nobodys_way(case: str) -> None:
    """It was taken down in its own mode; or TrueNAS starts it since a deploy that failed."""
    made = another()
    if case == "taken down":
        made.doors = replace(made.doors, only=False)
        made.engine.project = "demo"
        down(made.doors, "me", "token2")
        made.engine.project = "ix-demo"
        made.doors = replace(made.doors, only=True)
    else:
        made.engine.nas.apps["demo"] = {"include": ["/pool/demo/app.json"]}
    same_project(made.doors, made.folder.read())
