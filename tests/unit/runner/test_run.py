"""A run: its steps' order, the way back, the point without return, and ends of broken-off ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.runner import bench as benches
from tests.unit.runner.bench import Bench, sent

from slipway.ledger.entries import Link
from slipway.ledger.snapshots import Taken
from slipway.plan.actions import (
    Action,
    Ask,
    Check,
    Compose,
    Count,
    Remove,
    Retire,
    Roll,
    Room,
    Soak,
    Start,
    Watch,
    Write,
)
from slipway.plan.snapshotting import Revert
from slipway.plan.step import Belief, Step
from slipway.runner.carry import changes
from slipway.runner.failure import Cause, Failed
from slipway.runner.run import Run, settle

NAMES = ("up", "verify", "record", "prune")
PREFIXES = range(2 * len(NAMES) + 1)


def link(target: str) -> Write:
    """An action that can be seen."""
    return Write((Link("current", f"releases/{target}"),))


def steps(**further: tuple[Action, ...]) -> list[Step]:
    """Four steps of which each leaves its name; the first three are undone."""
    return [
        Step(
            name,
            f"about {name}",
            do=(*further.get(name, ()), link(name)),
            undo=(link("old"),) if name != "prune" else (),
        )
        for name in NAMES
    ]


def request(*todo: Step) -> dict[str, Any]:
    """What the host is asked."""
    return {
        "steps": [sent(one) for one in todo],
        "edge": None,
        "live": "old",
        "point": "record",
        "checked": {},
    }


@pytest.fixture
def bench() -> Bench:
    """A host on which ``old`` is live."""
    made = benches.bench()
    made.made.folder.link("current", "releases/old")
    return made


def told(bench: Bench) -> list[str]:
    """The steps that were begun and done."""
    return [
        f"{one['event']} {one.get('name', one.get('step'))}"
        for one in bench.listener.events
        if one["event"] in ("step", "done")
    ]


def test_steps_in_their_order(bench: Bench) -> None:
    """Each is told when it begins and when it is done."""
    end = Run(request(*steps()), bench.doors).carry_out()
    assert end == {
        "outcome": "done", "cause": None, "second": None, "late": None, "failed_over": [],
        "absent": [], "downtime_s": {},
    }  # fmt: skip
    assert told(bench) == [f"{word} {name}" for name in NAMES for word in ("step", "done")]
    assert bench.folder.current() == "prune"
    assert bench.listener.named("step")[0]["about"] == "about up"


BROKEN = Compose("nothing", ("up",), 1.0)


@pytest.mark.parametrize("where", NAMES[:3])
def test_a_failure_goes_back(bench: Bench, where: str) -> None:
    """Whatever it is: the steps that were begun are undone, and the cause says where it was."""
    end = Run(request(*steps(**{where: (BROKEN,)})), bench.doors).carry_out()
    assert end["outcome"] == "undone"
    assert (end["cause"]["stage"], end["cause"]["kind"]) == (where, "failed")
    assert end["cause"]["message"].startswith("the host: KeyError")
    assert bench.folder.current() == "old"
    (back,) = bench.listener.named("back")
    assert back["stage"] == where
    assert told(bench)[-1] == f"step {where}"


def test_a_failure_past_the_point_is_late(bench: Bench) -> None:
    """The release is live, and stays so."""
    end = Run(request(*steps(prune=(BROKEN,))), bench.doors).carry_out()
    assert (end["outcome"], end["cause"]) == ("done", None)
    assert end["late"]["stage"] == "prune"
    assert bench.folder.current() == "record"
    assert bench.listener.named("back") == []


def test_a_way_back_that_fails_too(bench: Bench) -> None:
    """Both failures are told."""
    todo = Step("up", "", do=(BROKEN,), undo=(BROKEN, link("old")))
    end = Run(request(todo), bench.doors).carry_out()
    assert end["outcome"] == "broken"
    assert (end["cause"]["stage"], end["second"]["stage"]) == ("up", "back")


ONE_WAY = Step("end", "", do=(Compose("nothing", ("down",), 1.0),), reason="none is needed")


@pytest.mark.parametrize("asked", [True, False], ids=["wished", "failed"])
def test_what_changes_what_runs_and_has_no_undo(bench: Bench, asked: bool) -> None:
    """Once it was begun, nobody may say that nothing was changed; before that, nothing was."""
    sent_first = Step("files", "", do=(link("old"),), reason="it does no harm")
    bench.listener.cancel_at = 1 if asked else None
    end = Run(request(sent_first, ONE_WAY), bench.doors).carry_out()
    if asked:
        assert (end["outcome"], end["second"]) == ("untouched", None)
        assert "step end" not in told(bench)
    else:
        assert (end["outcome"], end["cause"]["stage"]) == ("broken", "end")
        assert end["second"]["message"] == "nothing undoes `end`"


def test_a_lost_run_that_had_begun_such_a_step(bench: Bench) -> None:
    """It is the same for whoever ends it."""
    noted = [{"event": "step", "name": "end"}]
    assert settle(request(ONE_WAY), bench.doors, noted)["outcome"] == "broken"
    assert settle(request(ONE_WAY), bench.doors, [])["outcome"] == "untouched"


@pytest.mark.parametrize(
    ("action", "so"),
    [
        (Compose("r1", ("stop",), 1.0), True),
        (Start("r1", ()), True),
        (Roll("r1", ()), True),
        (Retire(()), True),
        (Remove(networks=("back",)), True),
        (Remove(images=("a:1",), paths=("releases/r1",)), False),
        (Write((Link("current", "releases/r1"),)), False),
        (Watch(()), False),
        (Count(), False),
        (Room(()), False),
        (Soak((), 1.0, 0.0), False),
        (Check(()), False),
        (Ask("u"), False),
    ],
)
def test_what_changes_what_runs(action: Action, so: bool) -> None:
    """Containers and their networks do; files, images that nothing uses and looking don't."""
    assert changes(sent(action)) is so


@pytest.mark.parametrize(
    ("current", "containers", "words"),
    [("new", None, "new is live now; the plan was made for old"),
     ("old", [["web", "c1", "i"]], "containers changed since the plan was made: web")],
)  # fmt: skip
def test_a_stale_plan_touches_nothing(
    bench: Bench, current: str, containers: list[list[str]] | None, words: str
) -> None:
    """What the plan takes to be true is looked at before anything that runs is changed."""
    believed = None if containers is None else (("web", "c1", "i"),)
    todo = Step("up", "", Belief("old", believed), (link("new"),), (link("older"),))
    bench.made.folder.link("current", f"releases/{current}")
    end = Run(request(todo), bench.doors).carry_out()
    assert (end["outcome"], end["cause"]["kind"]) == ("untouched", "stale")
    assert end["cause"]["message"] == words
    assert bench.folder.current() == current
    assert told(bench) == []


def test_a_wish_to_end_goes_back(bench: Bench) -> None:
    """It is heeded once: the way back is not cut short by it."""
    bench.listener.cancel_at = 1
    end = Run(request(*steps()), bench.doors).carry_out()
    assert (end["outcome"], end["cause"]["kind"]) == ("undone", "interrupted")
    assert bench.folder.current() == "old"
    assert bench.listener.ignored


def test_a_wish_to_end_comes_too_late_when_it_is_live(bench: Bench) -> None:
    """What is left to do is only tidying, and is done."""
    bench.listener.cancel_at = 2 * len(NAMES) - 2
    end = Run(request(*steps()), bench.doors).carry_out()
    assert (end["outcome"], end["late"]) == ("done", None)
    assert bench.folder.current() == "prune"


def test_nobody_there(bench: Bench) -> None:
    """What takes another machine stays undone and is named; the rest is carried out."""
    bench.listener.there = False
    end = Run(request(*steps(verify=(Ask("u"),))), bench.doors).carry_out()
    assert (end["outcome"], end["absent"]) == ("done", ["ask"])


def test_a_docker_that_does_not_answer_touches_nothing(bench: Bench) -> None:
    """It is asked before the first step."""

    def silent() -> tuple[()]:
        raise Failed("Docker doesn't answer")

    bench.made.engine.containers = silent  # type: ignore[method-assign]
    end = Run(request(*steps()), bench.doors).carry_out()
    assert (end["outcome"], end["cause"]["message"]) == ("untouched", "Docker doesn't answer")


@pytest.mark.parametrize("count", PREFIXES)
def test_a_broken_off_run_is_ended(bench: Bench, count: int) -> None:
    """From whatever it had noted: back before the release was live, onward after."""
    done = request(*steps())
    whole = benches.bench()
    Run(done, whole.doors).carry_out()
    noted = whole.listener.events[:count]
    last = [one for one in noted if one["event"] == "done"]
    if noted:
        bench.made.folder.link("current", f"releases/{last[-1]['step'] if last else 'between'}")
    end = settle(done, bench.doors, noted)
    finished = [one["step"] for one in last]
    if "record" in finished:
        left = [name for name in NAMES if name not in finished]
        assert (end["outcome"], end["late"]) == ("done", None)
        assert told(bench) == [f"{word} {name}" for name in left for word in ("step", "done")]
    else:
        assert end["outcome"] == ("undone" if noted else "untouched")
        assert Cause.from_json(end["cause"]).kind == "lost"
        assert bench.folder.current() == "old"


def test_a_run_that_is_ended_late_heeds_nobody(bench: Bench) -> None:
    """A wish to end that was left with the run that is gone stops no tidying."""
    bench.listener.cancel_at = -1
    noted = [{"event": "step", "name": "record"}, {"event": "done", "step": "record"}]
    end = settle(request(*steps()[2:]), bench.doors, noted)
    assert (end["outcome"], end["late"]) == ("done", None)
    assert bench.folder.current() == "prune"


def _went_on(bench: Bench) -> list[tuple[int, str | None]]:
    """Let a migration go on in a container; how many did and what was live at each look."""
    seen: list[tuple[int, str | None]] = []
    real = bench.made.engine.end_once

    def end_once() -> int:
        seen.append((len(bench.made.engine.once), bench.folder.current()))
        return real()

    bench.made.engine.once = ["migration"]
    bench.made.engine.end_once = end_once  # type: ignore[method-assign]
    return seen


@pytest.mark.parametrize("finished", [False, True], ids=["back", "onward"])
def test_what_a_killed_run_began_in_a_container_is_ended_first(
    bench: Bench, finished: bool
) -> None:
    """Before anything is put back, or done: it would undo that later."""
    bench.made.folder.link("current", "releases/between")
    seen = _went_on(bench)
    noted = [{"event": "step", "name": "record"}]
    settle(
        request(*steps()),
        bench.doors,
        [*noted, {"event": "done", "step": "record"}][: 1 + finished],
    )
    assert seen == [(1, "between")]
    assert bench.made.engine.once == []
    assert "of a run that was broken off: ended" in bench.listener.named("say")[0]["text"]


def test_a_new_run_ends_it_before_its_first_step(bench: Bench) -> None:
    """Also when the one before was never settled; and what it began itself before it goes back."""
    seen = _went_on(bench)
    Run(request(*steps(up=(BROKEN,))), bench.doors).carry_out()
    assert seen == [(1, "old"), (0, "old")]
    assert bench.listener.events[0]["event"] == "say"


def test_what_can_not_be_ended(bench: Bench) -> None:
    """Nothing is begun over it, and nothing is put back under it."""

    def stays() -> int:
        raise Failed("it can't be ended")

    bench.made.engine.end_once = stays  # type: ignore[method-assign]
    end = Run(request(*steps()), bench.doors).carry_out()
    assert (end["outcome"], end["cause"]["message"]) == ("untouched", "it can't be ended")
    bench.made.folder.link("current", "releases/between")
    end = settle(request(*steps()), bench.doors, [{"event": "step", "name": "up"}])
    assert (end["outcome"], end["second"]["message"]) == ("broken", "it can't be ended")
    assert bench.folder.current() == "between"


def test_a_run_that_was_lost_makes_no_data_what_they_were(bench: Bench) -> None:
    """The new release may have served since, for days: what was written is nobody's to drop."""
    taken = Taken("pool.snapshot", "tank/a", "/mnt/tank/a", "r1")
    asked = [replace(one, undo=(Revert(taken),)) if one.name == "up" else one for one in steps()]
    before = bench.folder.current()

    end = settle(request(*asked), bench.doors, [{"event": "step", "name": "up"}])

    assert end["outcome"] == "broken"
    assert "written to since tank/a@r1" in end["second"]["message"]
    assert "./inv deploy" in end["second"]["hint"]
    assert bench.folder.current() == before
    assert settle(request(*asked), bench.doors, [])["outcome"] == "untouched"
