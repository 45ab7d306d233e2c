"""Before anything changes: whose turn is it, can the host take it, does the plan still hold?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.act.runs import first, run
from tests.unit.demo import APP, COMPOSE, wanted, world

from slipway.act.deploy import make_draft
from slipway.act.failure import PlanIsStale
from slipway.act.guard import foresee
from slipway.errors import DeployError, HostUnreachable, SlipwayError
from slipway.hosts.facts import Facts


def test_held_lease_stops_before_anything() -> None:
    """While somebody else deploys nothing is changed, and the message says who."""
    made = world()
    first(made)
    made.runner.busy = {"who": "anna@desk", "what": "deploy r1", "since": "noon"}
    live, running = made.folder.live, list(made.engine.running)
    with pytest.raises(DeployError, match="anna@desk is busy on nas with `deploy r1`") as caught:
        run(made, web="2")
    assert caught.value.exit_code == 5
    assert "--wait" in str(caught.value.hint)
    assert (made.engine.commands, made.engine.running) == ([], running)
    assert made.folder.live == live


def test_the_port_of_what_runs_is_free_for_its_successor() -> None:
    """The application's own running container publishes the port: that is no reason to refuse."""
    made = world()
    first(made)
    made.engine.ports = (8080,)
    assert run(made, web="2").outcome == "deployed"
    made.engine.crash("web", state="exited")
    with pytest.raises(DeployError, match="port 8080 is in use"):
        run(made, web="3")


def test_what_runs_from_another_folder_is_not_taken_over() -> None:
    """Containers that another application folder's deploy made stop this one's."""
    made = world()
    first(made)
    made.engine.crash("web", file="/elsewhere/releases/1/compose.json")
    with pytest.raises(DeployError, match="deployed from /elsewhere/"):
        run(made, web="2")
    made.engine.crash("web", file=f"{APP}/releases/1/compose.json")
    assert run(made, web="2").outcome == "deployed"


def test_a_host_that_confines_less_is_warned_of() -> None:
    """The deploy goes on, and says what the host's Docker does not do."""
    made = world()
    made.engine.confined = frozenset({"seccomp"})
    assert run(made).outcome == "deployed"
    assert "warning: Docker on nas confines containers by neither AppArmor" in made.talk.getvalue()


def test_a_plan_says_so_where_something_would_change() -> None:
    """The host is not asked for it where nothing would."""
    made = world()
    made.engine.confined = frozenset({"seccomp"})
    foresee(made.doors, make_draft(wanted(), made.doors))
    said = made.talk.getvalue()
    assert said.count("confines containers by neither AppArmor") == 1
    first(made)
    made.engine.facts = None  # type: ignore[assignment,method-assign]
    foresee(made.doors, make_draft(wanted(), made.doors))


def test_taken_port_stops_before_anything() -> None:
    """A port that another program uses is found before anything is sent."""
    made = world()
    made.engine.ports = (8080,)
    with pytest.raises(DeployError, match="port 8080 is in use") as caught:
        run(made)
    assert "nothing was changed" in caught.value.message
    assert made.host.name in caught.value.message
    assert made.engine.loads == []
    assert made.engine.commands == []


def test_stale_plan_stops_before_anything_that_runs() -> None:
    """A container that changed after planning stops the deploy before services are touched."""
    made = world()
    first(made)
    load = made.engine.load

    def load_and_crash(transfer, progress):  # type: ignore[no-untyped-def]
        made.engine.crash("db", id="other")
        return load(transfer, progress)

    made.engine.load = load_and_crash  # type: ignore[method-assign]
    with pytest.raises(PlanIsStale, match="changed since the plan was made: db"):
        run(made, web="2")
    assert made.engine.commands == []


def test_other_release_meanwhile_is_a_stale_plan() -> None:
    """A release that went live after planning stops the deploy."""
    made = world()
    first(made)
    load = made.engine.load

    def load_and_switch(transfer, progress):  # type: ignore[no-untyped-def]
        made.folder.current = "releases/20990101-000000-ffffff"
        return load(transfer, progress)

    made.engine.load = load_and_switch  # type: ignore[method-assign]
    with pytest.raises(PlanIsStale, match="is live now; the plan was made for"):
        run(made, web="2")
    assert made.engine.commands == []


def test_failed_preflight_keeps_its_own_error_kind() -> None:
    """A host that vanishes before anything was touched stays a host error, exit code 4."""
    made = world()

    def lost(app_dir: str) -> object:
        raise HostUnreachable("the connection broke")

    made.engine.facts = lost  # type: ignore[method-assign, assignment]
    with pytest.raises(SlipwayError) as caught:
        run(made)
    assert caught.value.exit_code == 4


def test_changed_volume_stops_before_anything() -> None:
    """A volume that is there with another definition would lose its data: refused, with a way."""
    text = COMPOSE + "volumes: { pile: { driver_opts: { type: tmpfs } } }\n"
    made = world()
    first(made, compose=text)
    made.engine.volumes = ("demo_pile",)
    running = list(made.engine.running)
    with pytest.raises(DeployError, match="the volume demo_pile exists with another definition"):
        run(made, compose=text.replace("tmpfs", "nfs"))
    assert (made.engine.commands, made.engine.running) == ([], running)
    made.engine.volumes = ()
    assert run(made, compose=text.replace("tmpfs", "nfs")).outcome == "deployed"


def test_what_ran_once_makes_no_plan_stale() -> None:
    """A one-off container that comes or goes meanwhile is not what a plan relies on."""
    made = world()
    first(made)
    load = made.engine.load

    def load_beside_a_job(transfer, progress):  # type: ignore[no-untyped-def]
        db = next(one for one in made.engine.running if one.service == "db")
        made.engine.running.append(replace(db, id="once", one_off=True, state="exited"))
        return load(transfer, progress)

    made.engine.load = load_beside_a_job  # type: ignore[method-assign]
    assert run(made, web="2").outcome == "deployed"


def test_numbers_are_held_against_the_host_at_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a deploy as at a plan: what containers may take together, and what the host has."""
    limits = "deploy: { replicas: 4, resources: { limits: { memory: 1G, cpus: '2' } } }"
    many = COMPOSE.replace("{ role: db }", "{ role: db, roll: beside }")
    many = many.replace("stop_grace_period: 20s", limits)
    made = world()
    small = replace(made.engine.facts(APP), memory=3 << 30, processors=9)
    asked: list[str] = []

    def facts(path: str) -> Facts:
        asked.append(path)
        return small

    monkeypatch.setattr(made.engine, "facts", facts)
    draft = make_draft(wanted(many), made.doors)
    with pytest.raises(DeployError, match=r"may take 4.3 GB .* nas has 3.2 GB") as caught:
        foresee(made.doors, draft)
    assert "db: 4 of 1.1 GB" in caught.value.details
    with pytest.raises(DeployError, match="nas can't take this deploy: with these numbers"):
        run(made, compose=many)
    assert (made.engine.running, len(asked)) == ([], 2)
    small = replace(small, memory=9 << 30, processors=7)
    foresee(made.doors, draft)
    assert "may take 8 processors by their limits, and nas has 7" in made.talk.getvalue()
