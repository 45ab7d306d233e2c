"""Runs as real processes: begun, followed, told, waited for, killed at every step, and ended."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.runner.site import NAMES, RUN, Site, alive, request, until

from slipway.plan.actions import Compose
from slipway.runner.lease import Lease


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A host on which ``r1`` is live and runs."""
    made = Site(tmp_path)
    (made.app / "current").symlink_to("releases/r0")
    try:
        before = request("20250101-000000-before", turns=())
        before["steps"] = [{**one, "do": one["undo"]} for one in before["steps"][:1]]
        assert made.start(before) == {"started": before["run"]}
        assert made.follow(before["run"])[-1]["outcome"] == "done"
        assert (made.live, made.images) == ("r1", ["sha256:1"])
        yield made
    finally:
        made.clear()


def free(site: Site) -> bool:
    """Whether nobody holds the lease; looking ends nothing."""
    return "busy" not in site.ask("settle")[0]


def test_a_whole_run(site: Site) -> None:
    """Its events come in order, it waits for its turns, and its end is on disk and in the
    journal."""
    assert site.start(request()) == {"started": RUN}
    events = site.follow(turns=NAMES)
    assert [one["number"] for one in events] == list(range(len(events)))
    said = [one.get("name", one.get("step")) for one in events if one["event"] != "end"]
    assert said == [name for name in NAMES for _ in range(3)]
    assert (events[-1]["outcome"], events[-1]["cause"], events[-1]["late"]) == ("done", None, None)
    assert (site.live, site.images) == ("r2", ["sha256:2"])
    assert [one["event"] for one in site.journal[-2:]] == ["intent", "outcome"]
    assert (site.journal[-1]["outcome"], site.journal[-1]["release"]) == ("deployed", "r2")
    folder = site.app / "runs" / RUN
    assert (folder / "told").exists()
    assert (site.app / "runs/last").readlink() == Path(RUN)
    assert until(lambda: free(site))
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in folder.rglob("*")} == {0}


def test_it_goes_on_when_nobody_is_there(site: Site) -> None:
    """What takes another machine is left out and named; nobody is waited for for ever."""
    site.start(request(turns=("verify",)))
    assert site.follow()[-1]["event"] == "turn"
    until(lambda: (site.app / f"runs/{RUN}/end.json").exists())
    end = site.last()
    assert (end["outcome"], end["absent"], site.live) == ("done", ["ask"], "r2")


def test_a_wish_to_end(site: Site) -> None:
    """It goes back, and says why."""
    site.start(request())
    site.follow(turns=("up",))
    site.ask("tell", RUN, "cancel", input={})
    end = site.follow(turns=NAMES)[-1]
    assert (end["outcome"], end["cause"]["kind"]) == ("undone", "interrupted")
    assert (site.live, site.images) == ("r1", ["sha256:1"])
    assert site.journal[-1]["outcome"] == "undone"


def test_one_at_a_time(site: Site) -> None:
    """Whoever comes second is told who is at work; nothing of theirs is begun."""
    site.start(request())
    second = request("20260101-000001-second")
    answer = site.start(second)
    assert answer["busy"]["who"] == "me@here"
    assert answer["busy"]["what"] == "deploy r2"
    assert not (site.app / "runs" / second["run"]).exists()
    assert site.ask("settle")[0]["busy"]["who"] == "me@here"
    assert site.follow(turns=NAMES)[-1]["outcome"] == "done"


@pytest.mark.parametrize("where", NAMES)
def test_killed_in_a_step(site: Site, where: str) -> None:
    """Nobody is kept out by it, whoever follows is told, and it is ended: back, or onward."""
    site.start(request())
    last = site.follow(turns=NAMES[: NAMES.index(where)])[-1]
    assert (last["event"], last["step"]) == ("turn", where)
    site.kill()
    if where == "verify":
        assert site.ask("follow", RUN, str(last["number"] + 1)) == [{"event": "lost"}]
    if where == "prune":
        site.answer(where)
    (answer,) = site.ask("settle")
    end = answer["settled"]
    if where == "prune":
        assert (end["outcome"], end["late"]) == ("done", None)
        assert (site.live, site.images) == ("r2", ["sha256:2"])
    else:
        assert (end["outcome"], end["cause"]["kind"]) == ("undone", "lost")
        assert (site.live, site.images) == ("r1", ["sha256:1"])
    assert site.last()["event"] == "end"
    assert site.ask("settle") == [{}]
    again = request("20260101-000002-again", turns=())
    site.start(again)
    assert site.follow(again["run"])[-1]["outcome"] == "done"
    assert (site.live, site.images) == ("r2", ["sha256:2"])


def test_what_it_runs_once_says_of_which_run_it_is(site: Site) -> None:
    """By that label it is found and ended when the run is not there any more."""
    asked = request(turns=())
    once = Compose("r2", ("run", "--rm", "web", "migrate"), 60.0)
    asked["steps"][0]["do"].append(once.to_json())
    site.start(asked)
    assert site.follow()[-1]["outcome"] == "done"
    state = json.loads((site.bin / "docker-state.json").read_text())
    (command,) = (one for one in state["commands"] if "migrate" in one)
    assert command[5:] == ["run", "--label", f"io.slipway.run={RUN}", "--rm", "web", "migrate"]
    first = next(n for n, one in enumerate(state["commands"]) if "label=io.slipway.run" in one)
    assert first < state["commands"].index(command)


@pytest.mark.parametrize("verb", ["start", "settle", "follow"])
def test_frozen_in_a_step(site: Site, verb: str) -> None:
    """Whoever comes after a while ends it and says so; then it is put back as after a kill."""
    site.start(request())
    last = site.follow(turns=("up",))[-1]
    pid = site.pid()
    os.kill(pid, signal.SIGSTOP)
    lease = Lease(str(site.app))
    until(lambda: lease.silent() > 5)
    assert alive(pid)
    if verb == "start":
        answer = site.start(request("20260101-000001-second"))
        assert (answer["busy"]["what"], answer["busy"]["ended"]) == ("deploy r2", True)
    if verb == "follow":
        heard = site.ask("follow", RUN, str(last["number"] + 1))
        assert [one["event"] for one in heard] == ["silent", "lost"]
        assert (heard[0]["seconds"] >= 5, heard[0]["ended"]) == (True, True)
    if verb != "settle":
        assert not alive(pid)
    (answer,) = site.ask("settle")
    assert not alive(pid)
    assert (answer["settled"]["outcome"], answer["settled"]["cause"]["kind"]) == ("undone", "lost")
    assert (site.live, site.images) == ("r1", ["sha256:1"])
    again = request("20260101-000002-again", turns=())
    site.start(again)
    assert site.follow(again["run"])[-1]["outcome"] == "done"


def test_killed_before_the_first_step(site: Site) -> None:
    """Nothing was touched, so nothing is put back."""
    folder = site.app / "runs" / RUN
    site.start(request())
    site.follow()
    site.kill()
    (folder / "events.jsonl").write_text("")
    assert site.ask("settle")[0]["settled"]["outcome"] == "untouched"
    assert (site.live, site.images) == ("r1", ["sha256:1"])


def test_a_line_that_was_broken_off(site: Site) -> None:
    """A process that is killed while it writes leaves half a line, which is passed over."""
    site.start(request())
    site.follow(turns=("up",))
    site.kill()
    with (site.app / f"runs/{RUN}/events.jsonl").open("ab") as file:
        file.write(b'{"number": 99, "event": "st')
    assert site.ask("settle")[0]["settled"]["outcome"] == "undone"
    assert site.last()["event"] == "end"


def test_nothing_was_ever_begun(tmp_path: Path) -> None:
    """There is nothing to end."""
    assert Site(tmp_path).ask("settle") == [{}]


def test_old_runs_go(site: Site) -> None:
    """The ten latest are kept, and the link leads to the last."""
    for number in range(12):
        (site.app / f"runs/2024010{number % 10}-00000{number // 10}-old").mkdir()
    site.start(request(turns=()))
    site.follow()
    kept = sorted(path.name for path in (site.app / "runs").iterdir() if path.name != "last")
    assert len(kept) == 10
    assert kept[-1] == RUN


def test_a_reboot_would_end_it(site: Site) -> None:
    """While it goes on, the host's next boot is told to; when it has ended, nothing is left."""
    (site.root / "run/systemd/system").mkdir(parents=True)
    (site.root / "etc/systemd/system").mkdir(parents=True)
    unit = site.root / "etc/systemd/system/slipway-demo.service"
    site.start(request())
    site.follow()
    assert f'"settle" "{site.app}"' in unit.read_text()
    site.kill()
    assert unit.exists()
    assert site.ask("settle")[0]["settled"]["outcome"] == "undone"
    left = [path for path in site.root.rglob("*") if not path.is_dir()]
    assert left == []
