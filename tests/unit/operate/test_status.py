"""Status, drift, and working with a running stack."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.act.runs import journal
from tests.unit.demo import URL, World, wanted, world

from slipway.act.deploy import deploy
from slipway.act.outcome import Outcome
from slipway.app.present import outcome_text, plan_text
from slipway.errors import ConfigError, DeployError
from slipway.operate import running as operate
from slipway.operate.down import down
from slipway.operate.releases import listed as listed_releases
from slipway.operate.releases import releases_json, releases_text
from slipway.operate.restart import restart
from slipway.operate.status import (
    make_status,
    read_status,
    status_text,
)
from slipway.plan.values import Plan
from slipway.plan.wanted import Seen
from slipway.runner.containers import Container
from slipway.runner.doors import Done


def deployed() -> World:
    """A host with the sample stack live."""
    made = world()
    deploy(wanted(), made.doors, "token")
    made.host.files.update({f"/pool/demo/{name}": data for name, data in made.folder.files.items()})
    return made


def test_status_has_the_promised_fields() -> None:
    """``status --json`` prints exactly the promised fields."""
    made = deployed()
    live = made.folder.read().records.live
    assert live is not None
    assert read_status(made.doors).to_json() == {
        "host": "nas",
        "release": live.id,
        "url": URL,
        "certificate": None,
        "services": [
            {
                "service": service,
                "role": service,
                "state": "running",
                "health": health,
                "image_digest": f"sha256:config-{service}-1",
                "restarts": 0,
                "container": service,
            }
            for service, health in (("db", "none"), ("web", "healthy"))
        ],
        "drift": [],
        "run": None,
        "down": None,
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"image_id": "sha256:x"}, "runs another image"),
        ({"config": "x"}, "has another configuration"),
        ({"state": "exited"}, "is exited"),
    ],
)
def test_drift_is_named(change: dict[str, Any], what: str) -> None:
    """Every way in which a container can differ from the release has a word."""
    made = deployed()
    made.engine.crash("web", **change)
    status = read_status(made.doors)
    assert [drift.to_json() for drift in status.drift] == [{"service": "web", "what": what}]
    assert not status.well
    assert f"web {what}" in status_text(status)


def test_work_that_ended_is_no_drift() -> None:
    """A service whose release says that it ends is well when it ended with 0."""
    made = deployed()
    live = made.folder.read().records.live
    assert live is not None
    ends = tuple(replace(one, ends=one.service == "db") for one in live.expected)
    made.engine.crash("db", state="exited")
    for release, count in ((live, 1), (replace(live, expected=ends), 0)):
        status = make_status("nas", release, tuple(made.engine.running))
        assert (len(status.drift), status.well) == (count, not count)


def test_missing_and_unknown_containers_are_drift() -> None:
    """A service without a container and a container without a service are both named."""
    made = deployed()
    stranger = Container("old", "x", "old", "i", "running")
    made.engine.running = [made.engine.running[0], stranger]
    status = read_status(made.doors)
    assert {(one.service, one.what) for one in status.drift} == {
        ("old", "is no service of the release"), ("web", "missing"),
    }  # fmt: skip
    assert [one.state for one in status.services if one.service == "web"] == ["missing"]


@pytest.mark.parametrize(
    ("wanted", "there", "said"),
    [
        (2, 1, {("db", "has 1 containers instead of 2")}),
        (1, 2, {("db", "has 2 containers instead of 1")}),
        (2, 2, set()),
        (0, 0, set()),
        (1, 0, {("db", "missing")}),
    ],
)
def test_another_number_of_containers_is_drift(
    wanted: int, there: int, said: set[tuple[str, str]]
) -> None:
    """Each service has as many containers as were released, which may be none."""
    made = deployed()
    live = made.folder.read().records.live
    assert live is not None
    expected = tuple(
        replace(one, containers=wanted) if one.service == "db" else one for one in live.expected
    )
    db = [one for one in made.engine.running if one.service == "db"]
    others = [one for one in made.engine.running if one.service != "db"]
    status = make_status("nas", replace(live, expected=expected), [*others, *db * there])
    assert {(one.service, one.what) for one in status.drift} == said
    assert status.well == (not said)


def test_empty_host() -> None:
    """A host on which nothing was deployed has no release, no URL, no services."""
    status = make_status("nas", None, ())
    assert status.to_json() == {
        "host": "nas", "release": None, "url": None, "services": [], "drift": [], "run": None,
        "down": None, "certificate": None, "warnings": [],
    }  # fmt: skip
    assert not status.well
    assert status_text(status) == "nas: nothing is deployed"


def test_releases_are_listed_newest_first() -> None:
    """The list marks the live release and says who made it."""
    made = deployed()
    made.clock.seconds += 60
    deploy(replace(wanted(web="2"), commit="a" * 40 + "+changes"), made.doors, "token")
    found = listed_releases(Seen(made.folder.read(), made.engine.state()))
    listed = releases_json(found)
    assert [one["live"] for one in listed] == [True, False]
    assert listed[0]["previous"] == listed[1]["release"]
    assert "aaaaaaaaaaaa+changes" in releases_text(found)
    assert releases_text(()) == "nothing was released yet"


def test_logs_run_compose_with_a_terminal() -> None:
    """Flags become Compose's; the exit code is Compose's."""
    made = deployed()
    made.host.on("docker", reply=3)
    code = operate.logs(made.doors, "web", follow=True, lines=5, since="10m")
    assert code == 3
    assert made.host.calls[-1][-9:] == (
        "--ansi", "never", "logs", "--no-color", "--timestamps",
        "--tail=5", "--follow", "--since=10m", "web",
    )  # fmt: skip


@pytest.mark.parametrize("since", ["yesterday", "10", "--x", "10m; rm -rf /"])
def test_wrong_since_is_refused(since: str) -> None:
    """What is neither span nor date is refused before the host is asked."""
    with pytest.raises(ConfigError, match="neither a span"):
        operate.logs_arguments("", follow=False, lines=1, since=since)


def test_unknown_service_lists_the_known_ones() -> None:
    """A misspelt service is a configuration error with the right names."""
    made = deployed()
    with pytest.raises(ConfigError) as caught:
        operate.execute(made.doors, "wep", ["ls"])
    assert caught.value.hint == "the services are db, web"
    with pytest.raises(ConfigError, match="no command"):
        operate.execute(made.doors, "web", [])


def test_a_job_does_not_stand() -> None:
    """Whatever wants one that runs says so; a single run takes it, and knows every service."""
    made = deployed()
    for ask in (
        lambda: operate.execute(made.doors, "job", ["ls"]),
        lambda: operate.logs(made.doors, "job", follow=False, lines=1, since=""),
        lambda: restart(made.doors, "me", "token", "job"),
    ):
        with pytest.raises(ConfigError, match="job does not stand") as caught:
            ask()
        assert "./inv run --service job" in str(caught.value.hint)
    with pytest.raises(ConfigError, match="there is no service nope") as caught:
        operate.run_once(made.doors, "nope", ["x"])
    assert (caught.value.hint, caught.value.exit_code) == ("the services are db, job, web", 2)


def test_exec_and_run_pass_arguments_as_they_are() -> None:
    """Arguments with blanks and quotes reach the container unchanged."""
    made = deployed()
    made.host.on("docker", reply=0)
    assert operate.execute(made.doors, "web", ["echo", "a b", "'"]) == 0
    assert made.host.calls[-1][-5:] == ("exec", "web", "echo", "a b", "'")
    assert operate.run_once(made.doors, "job", ["migrate"]) == 0
    assert made.host.calls[-1][-5:] == ("run", "--rm", "--no-deps", "job", "migrate")


def test_down_keeps_data_and_records() -> None:
    """Down ends containers only; the next deploy brings the same release's content back."""
    made = deployed()
    down(made.doors, "me", "token")
    assert made.engine.commands[-1] == ("down", "--remove-orphans")
    assert made.engine.running == []
    assert "secrets/db_password/1" in made.folder.files
    assert deploy(wanted(), made.doors, "token").outcome.containers_touched == 2


def test_down_waits_for_others() -> None:
    """While somebody else is at work there, nothing is ended or written."""
    made = deployed()
    made.engine.commands.clear()
    made.runner.busy = {"who": "anna@desk", "what": "deploy r1", "since": "noon"}
    files, running = dict(made.folder.files), list(made.engine.running)
    with pytest.raises(DeployError, match="anna@desk is busy"):
        down(made.doors, "me", "token")
    assert (made.engine.commands, made.engine.running) == ([], running)
    assert made.folder.files == files


def test_down_that_fails_says_so() -> None:
    """With what Compose said; here it can't bring up again either what it ended."""
    made = deployed()
    made.engine.compose = failing  # type: ignore[method-assign]
    with pytest.raises(DeployError, match="`compose stop` failed; going back failed") as caught:
        down(made.doors, "me", "mine")
    assert caught.value.details[0] == "no such network"
    assert journal(made)[-1]["outcome"] == "broken"


def failing(*_: Any, **__: Any) -> Done:
    """A Compose that can't."""
    return Done(1, "", "no such network\n")


def test_down_is_in_the_journal() -> None:
    """A line before and one after it, with who did it."""
    made = deployed()
    before = made.folder.files["journal.jsonl"]
    live = down(made.doors, "me@there", "token").release
    lines = made.folder.files["journal.jsonl"].removeprefix(before).splitlines()
    intent, outcome = (json.loads(line) for line in lines)
    assert (intent["event"], intent["who"], intent["down"]) == ("intent", "me@there", True)
    assert (outcome["event"], outcome["outcome"]) == ("outcome", "down")
    assert {intent["release"], outcome["release"]} == {live.id}


def test_one_off_containers_are_no_drift() -> None:
    """What `run` started beside a service is no service of the release, and stands for none."""
    made = deployed()
    once = replace(made.engine.running[0], id="once", one_off=True, state="exited", config="x")
    made.engine.running.append(once)
    assert read_status(made.doors).well
    made.engine.running = [
        once,
        *(c for c in made.engine.running[:-1] if c.service != once.service),
    ]
    missing = [(one.service, one.what) for one in read_status(made.doors).drift]
    assert missing == [(once.service, "missing")]


def test_nothing_deployed_is_said() -> None:
    """Commands that need a live release say that there is none."""
    with pytest.raises(DeployError, match="nothing is deployed on nas"):
        down(world().doors, "me", "token")


def test_texts_for_people() -> None:
    """A plan and an outcome read as sentences."""
    assert plan_text(Plan("r1", 0, ())) == "r1 is live; nothing to do"
    unchanged = Outcome("r1", "unchanged", "http://x", 0, 0, 1.0, ())
    assert "0 bytes sent, 0 containers touched" in outcome_text(unchanged)


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (Outcome("r1", "deployed", "u", 0, 0, 1.0, ()), "deployed r1 at u "),
        (Outcome("r1", "rolled back", "u", 0, 0, 1.0, ()), "rolled back to r1 at u "),
        (
            Outcome("r1", "restarted", "u", 0, 0, 1.0, (), subject="api"),
            "restarted api of r1 at u ",
        ),
        (
            Outcome("r1", "scaled", "u", 0, 0, 1.0, (), subject="worker=3, api=2"),
            "scaled worker=3, api=2 of r1 at u ",
        ),
    ],
)
def test_an_outcome_says_what_was_done_to_what(done: Outcome, said: str) -> None:
    """The release of a rollback is the one it went to."""
    assert outcome_text(done).startswith(said)


def test_containers_of_one_service_are_told_apart() -> None:
    """By Docker's names, where there are several; the names are always in the JSON."""
    made = deployed()
    live = made.folder.read().records.live
    db, web = sorted(made.engine.running, key=lambda one: one.service)
    there = [replace(web, name="demo-web-1"), replace(db, name="demo-db-9"),
             replace(db, id="more", name="demo-db-10", state="exited")]  # fmt: skip
    status = make_status("nas", live, there)
    names = [(one["service"], one["container"]) for one in status.to_json()["services"]]  # type: ignore[attr-defined]
    assert names == [("db", "demo-db-10"), ("db", "demo-db-9"), ("web", "demo-web-1")]
    rows = [line.split() for line in status_text(status).splitlines()[2:6]]
    assert rows[0][:3] == ["service", "container", "role"]
    assert [row[:4] for row in rows[1:]] == [
        ["db", "demo-db-10", "db", "exited"],
        ["db", "demo-db-9", "db", "running"],
        ["web", "web", "running", "healthy"],
    ]
    assert "container" not in status_text(make_status("nas", live, there[:2]))
    gone = make_status("nas", live, there[1:2])
    assert [one.container for one in gone.services] == ["demo-db-9", ""]


def test_a_one_off_of_no_service_is_refused() -> None:
    """Those that only run so are known from the Compose file, which must be there."""
    made = deployed()
    with pytest.raises(ConfigError, match="there is no service nope") as caught:
        operate.run_once(made.doors, "nope", ["x"])
    assert caught.value.hint == "the services are db, job, web"
    made.host.files.clear()
    with pytest.raises(DeployError, match="the Compose file of"):
        operate.run_once(made.doors, "job", ["x"])
