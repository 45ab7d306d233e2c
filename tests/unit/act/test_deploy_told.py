"""What a deploy says of itself: to the host, to whoever waits, and in what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.unit.act.runs import first, run
from tests.unit.act.scripted import END, event
from tests.unit.demo import URL, World, wanted, world

from slipway.act.attend import Attended
from slipway.act.change import outcome_of
from slipway.act.contents import derive
from slipway.act.deploy import deploy, make_draft
from slipway.act.outcome import Outcome, StepTime
from slipway.act.progress import Progress
from slipway.act.runner import Event
from slipway.errors import DeployError, SlipwayError
from slipway.hosts.facts import Facts
from slipway.ledger.entries import Link
from slipway.ledger.runs import ALIVE, LastRun
from slipway.secret import Secret


def slow(made: World) -> None:
    """From now on it takes 2 s to ask the host for its folder, and 3 s for its facts."""
    read, facts = made.folder.read, made.engine.facts

    def slow_read(secrets: Sequence[str] = ()) -> Any:
        made.clock.seconds += 2
        return read(secrets)

    def slow_facts(app_dir: str) -> Facts:
        made.clock.seconds += 3
        return facts(app_dir)

    made.folder.read = slow_read  # type: ignore[method-assign]
    made.engine.facts = slow_facts  # type: ignore[method-assign]
    made.host.on("true")
    made.doors.host.run(["true"], timeout=1)


def said(made: World) -> list[str]:
    """What was said since one last asked."""
    lines = made.talk.getvalue().splitlines()
    made.talk.seek(0)
    made.talk.truncate()
    return lines


def test_without_changes_the_host_is_asked_once() -> None:
    """What is given back says so, with the release and the containers that are there."""
    made = world()
    before = first(made)
    said(made)
    slow(made)
    result = deploy(wanted(), made.doors, "token")
    assert result.outcome == Outcome(
        before.release, "unchanged", URL, 0, 0, 2.0, (StepTime("plan", 2.0),), 1
    )
    assert result.release.id == before.release
    assert result.containers == tuple(made.engine.running)
    assert said(made) == ["plan  nas"]


def test_a_deploy_tells_its_steps_and_how_long_they_took() -> None:
    """The plan and what this machine does before the host begins are steps like any other."""
    made = world()
    first(made)
    said(made)
    slow(made)
    made.clock.seconds += 60
    result = deploy(wanted(db="2"), made.doors, "token")
    assert result.outcome.steps[:4] == (
        StepTime("plan", 2.0), StepTime("preflight", 3.0), StepTime("transfer", 0.0),
        StepTime("files", 0.0),
    )  # fmt: skip
    assert result.outcome.round_trips == 1
    assert result.release.id == made.folder.live
    assert result.containers == tuple(made.engine.running)
    lines = [line for line in said(made) if not line.startswith(" ")]
    assert lines[:2] == ["plan  nas", "preflight  can the host take it?"]
    assert [line.split("  ")[0] for line in lines] == [step.name for step in result.outcome.steps]
    assert all(line.split("  ")[1] for line in lines)


def test_the_host_is_told_who_deploys_what() -> None:
    """So that it can say so to others, and note it."""
    made = world()
    plan = make_draft(wanted(), made.doors).plan
    release = deploy(wanted(), made.doors, "token-that-is-long").outcome.release
    (request,) = made.runner.requests
    assert {key: request[key] for key in ("run", "holder", "word", "intent", "point")} == {
        "run": f"{release}-token-",
        "holder": {
            "who": "me@here",
            "what": f"deploy {release}",
            "since": "2026-01-01T00:00:00Z",
        },
        "word": "deployed",
        "intent": {"who": "me@here", "plan": plan.to_json()},
        "point": "record",
    }


def test_a_secret_that_is_kept_is_what_another_is_derived_from() -> None:
    """Its value is read from the host, which alone has it."""
    made = world()
    first(made)
    for path in [path for path in made.folder.files if path.startswith("secrets/acl/")]:
        del made.folder.files[path]
    run(made)
    password = Secret(made.folder.files["secrets/db_password/1"].decode())
    derived = derive("redis-acl", password).reveal()
    assert made.folder.files["secrets/acl/1"].decode() == derived


def test_what_the_host_saw_is_in_the_outcome() -> None:
    """Beside what was expected: how long which service did not answer, and which failed over."""
    made = world()
    first(made)
    planned = make_draft(wanted(db="2"), made.doors)
    assert planned.plan.downtimes
    slow(made)
    made.clock.seconds += 5
    progress = Progress(made.doors, made.clock.seconds - 5, [StepTime("plan", 1.0)])
    end = {**END, "downtime_s": {"db": 2.5}, "failed_over": ["web"]}
    attended = Attended(end, [StepTime("up", 4.0)], 2)
    assert outcome_of(progress, planned, attended, "deployed", 50) == Outcome(
        planned.release.id,
        "deployed",
        URL,
        50,
        1,
        5.0,
        (StepTime("plan", 1.0), StepTime("up", 4.0)),
        1,
        planned.plan.downtimes,
        {"db": 2.5},
        ("web",),
        2,
    )


def test_a_run_that_goes_on_is_waited_for_and_planned_upon() -> None:
    """What it did is there then: the plan from before would do it again."""
    made = world()
    first(made)
    made.folder.run = LastRun("earlier", "anna@desk", "deploy r", "noon", ALIVE)
    with pytest.raises(DeployError, match="anna@desk is busy on nas with `deploy r` since noon"):
        deploy(wanted(web="2"), made.doors, "token")
    follow = made.runner.follow

    def ends(name: str, number: int) -> Sequence[Event]:
        if name != "earlier":
            return follow(name, number)
        made.folder.run = None
        run(made, web="2")
        return [event(0, "end", **END)]

    made.runner.follow = ends  # type: ignore[method-assign, assignment]
    outcome = deploy(wanted(web="2"), made.doors, "token", wait=True).outcome
    assert (outcome.outcome, outcome.release) == ("unchanged", made.folder.live)
    assert "`deploy r` of anna@desk, begun noon, is done" in said(made)


def test_ones_own_run_is_attended_without_being_asked_to_wait() -> None:
    """Whoever was cut off and deploys again gets to the end of what goes on."""
    made = world()
    before = first(made)
    made.folder.run = LastRun("earlier", "me@here", "deploy r", "noon", ALIVE)
    ended = [event(0, "end", **END)]
    made.runner.follow = lambda name, number: ended  # type: ignore[method-assign, assignment]
    assert deploy(wanted(), made.doors, "token").outcome.release == before.release
    assert "attach  `deploy r` of me@here, begun noon, goes on" in said(made)


def test_the_release_that_runs_is_live_though_the_link_is_lost() -> None:
    """It is noted again, and is what there is to go back to."""
    made = world()
    before = first(made)
    said(made)
    made.folder.current = ""
    assert run(made).outcome == "unchanged"
    assert made.folder.written[-1] == (Link("current", f"releases/{before.release}"),)
    assert made.folder.live == before.release
    assert said(made) == [
        "plan  nas",
        f"warning: no release was recorded as live, but {before.release} runs: it is live",
    ]


def no_space(*_: object) -> None:
    """A disk that is full."""
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("breaks", "stage"),
    [
        (lambda made: setattr(made.engine, "facts", no_space), "preflight"),
        (lambda made: setattr(made.engine, "load", no_space), "transfer"),
        (lambda made: setattr(made.folder, "write", no_space), "secrets"),
    ],
)
def test_what_fails_before_the_host_begins_names_its_step(
    breaks: Callable[[World], None], stage: str
) -> None:
    """Nothing that runs was touched by it, and no request was sent."""
    made = world()
    breaks(made)
    with pytest.raises(SlipwayError, match="No space left") as caught:
        run(made)
    assert caught.value.stage == stage
    assert made.runner.requests == []


def test_an_error_that_names_its_step_keeps_it() -> None:
    """Who found it knows best."""
    made = world()

    def refused(app_dir: str) -> Facts:
        raise DeployError("no", stage="door")

    made.engine.facts = refused  # type: ignore[method-assign]
    with pytest.raises(DeployError, match="no; nothing that runs was changed") as caught:
        run(made)
    assert caught.value.stage == "door"
