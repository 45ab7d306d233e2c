"""A stack under load: ways to change it, and how what came of it is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from langflix.traffic import count
from langflix.traffic.count import Asked, Failure, Fault
from langflix.traffic.lessons import Lessons
from slipway.app.bench import NAME, Copy
from slipway.app.switches import Others, Ours, Peer, read_peers
from slipway.app.underload import Change, Run, runs_json, runs_text
from slipway.errors import ConfigError, SlipwayError

MAIN, PAGE = "src/langflix/__init__.py", "src/langflix/web/index.html"


NO_JOBS = Lessons()


def load(*asked: Asked, jobs: Lessons = NO_JOBS) -> dict[str, Any]:
    return count.result(asked, jobs, began="t", seconds=1.0, rate=2).to_json()


def test_runs_stand_beneath_each_other() -> None:
    """Each kind has a line of each run; jobs and changes that went wrong are named."""
    cut = Asked("api", 900.0, failure=Failure("t", Fault.CUT, "why"))
    jobs = Lessons(3, 1, lost=("x",), twice=("y",), why={"x": "gone"})
    runs = [
        Run("nothing", "alone", (), load(Asked("api", 5.0), Asked("page", 1.0, late_ms=7.0))),
        Run(
            "deploys",
            "ours",
            (Change("t", 1.5), Change("t", 2.0, "no", ("so", "no"))),
            load(cut, jobs=jobs),
        ),
    ]
    lines = [" ".join(line.split()) for line in runs_text(runs).splitlines()]
    assert lines == [
        "nothing: alone",
        "deploys: ours",
        "the sender was 7 ms late at most, which counts as time of the answer",
        "",
        "what changed by failed of p99 ms longest ms",
        "all nothing 0 2 5 5",
        "all deploys 1 1 900 900 1 cut",
        "api nothing 0 1 5 5",
        "api deploys 1 1 900 900 1 cut",
        "page nothing 0 1 1 1",
        "jobs' ends nothing 0 0",
        "jobs' ends deploys 2 3 1 lost (gone), 1 twice",
        "changes deploys 1 2 2000 no",
    ]
    value = json.loads(json.dumps(runs_json(runs)))
    assert value[1]["changes"][1] == {
        "began": "t",
        "seconds": 2.0,
        "problem": "no",
        "said": ["so", "no"],
    }
    assert value[1]["rows"][0]["failed"] == 1


def test_peers_are_read(tmp_path: Path) -> None:
    """Compose has no path, docker-rollout has that of its script."""
    script = tmp_path / "docker-rollout"
    script.write_text("")
    assert read_peers(["compose", f"rollout={script}"]) == (
        Peer("compose"),
        Peer("rollout", script),
    )


@pytest.mark.parametrize("text", ["", "swarm", "compose=x", "rollout", "rollout=/nowhere"])
def test_what_is_no_peer_is_refused(text: str) -> None:
    """Another name, a path too many, a path too few, and one that leads nowhere."""
    with pytest.raises(ConfigError, match="nothing was done"):
        read_peers([text])


class FakeCopy(Copy):
    """Notes what it is asked, and which version its files were then."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[tuple[str, ...]] = []
        self.kept: list[dict[str, object]] = []
        for path, text in ((MAIN, '__version__ = "1"\n'), (PAGE, "<head>\n</head>\n")):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        (root / "state/pool").mkdir(parents=True)

    def inv(self, *arguments: str) -> str:
        """Answer what these tests ask."""
        self.asked.append(arguments)
        if arguments[0] == "deploy":
            other = "_OTHER" in (self.root / MAIN).read_text()
            assert other == ("another" in (self.root / PAGE).read_text())
            return json.dumps({"release": f"r{int(other)}"})
        if arguments[0] == "releases":
            return json.dumps(self.kept)
        if arguments[0] == "rehearsal.status":
            return json.dumps([{"name": NAME, "state_dir": str(self.root / "state")}])
        return "docker-rollout version v0\n"

    def on_host(self) -> list[tuple[str, ...]]:
        """What ran on the host so far."""
        before = ("rehearsal.shell", "--name", NAME, "--")
        return [one[4:] for one in self.asked if one[:4] == before]


def test_versions_differ_in_both_files(tmp_path: Path) -> None:
    """Version 1 has another line in the application and in the page; version 0 is as it was."""
    copy = FakeCopy(tmp_path)
    before = (tmp_path / MAIN).read_text(), (tmp_path / PAGE).read_text()
    ours = Ours(copy)
    for version in (0, 1, 0):
        ours.make(version)
    assert ours.releases == {0: "r0", 1: "r1"}
    assert ((tmp_path / MAIN).read_text(), (tmp_path / PAGE).read_text()) == before
    (tmp_path / PAGE).write_text("no page")
    with pytest.raises(SlipwayError, match="no other version"):
        Ours(copy).make(1)


@pytest.mark.parametrize(("live", "to"), [("r3", "r2"), ("r2", "r1"), ("r1", "r3")])
def test_a_rollback_goes_to_the_one_before(tmp_path: Path, live: str, to: str) -> None:
    """From the oldest that the host can go back to, it goes to the newest."""
    copy = FakeCopy(tmp_path)
    names = ("r3", "r2", "r1", "r0")
    lost = {"r0": ["images"]}
    copy.kept = [{"release": n, "live": n == live, "lost": lost.get(n, [])} for n in names]
    Ours(copy).back()
    assert copy.asked[-1] == ("rollback", "--to", to, "--json")


def test_peers_use_the_releases_of_the_host(tmp_path: Path) -> None:
    """Compose takes the whole file; docker-rollout three services, and Compose the rest."""
    copy, script = FakeCopy(tmp_path), tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    others = Others(copy, {0: "r0", 1: "r1"})
    others.compose(1)
    file = ("-f", "/mnt/tank/apps/langflix/releases/r1/compose.json")
    assert copy.on_host() == [("docker", "compose", *file, "up", "--detach", "--wait")]
    assert others.take(script) == "docker-rollout version v0"
    assert (tmp_path / "state/pool/docker-rollout").read_text() == "#!/bin/sh\n"
    copy.asked.clear()
    others.rollout(1)
    rollout = ("sh", "/mnt/tank/docker-rollout", "rollout", *file)
    assert copy.on_host() == [
        (*rollout, "api"),
        (*rollout, "frontend"),
        (*rollout, "flower"),
        ("docker", "compose", *file, "up", "--detach", "--wait", "--no-deps", "worker", "beat"),
    ]
