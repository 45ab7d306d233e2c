"""The host's Docker by way of a program: limits, ends, files, what it leaves out and what it says.

The program is a shell script that notes how it was called; each test says what it answers.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.integration.runner.site import alive, until

from slipway.runner import children
from slipway.runner import docker as dockers
from slipway.runner.docker import TIMED_OUT, HostDocker
from slipway.runner.failure import Failed

_LONG_S = 60.0
STAY = "echo $$ >pid.new; mv pid.new pid; exec sleep 600"
"""What a program does that goes on; its number is in a file as soon as it is there."""


class Fake:
    """A docker program in a folder of its own.

    Args:
        folder: for it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.program = folder, folder / "docker"
        self._calls = folder / "calls"

    def answers(self, body: str, heed: Callable[[], None] = lambda: None) -> HostDocker:
        """Docker whose program does what a piece of shell says."""
        self.program.write_text(f'#!/bin/sh\ncd {self.folder}\necho "$*" >>calls\n{body}\n')
        self.program.chmod(0o755)
        return HostDocker("demo", str(self.program), heed)

    @property
    def calls(self) -> list[str]:
        """How it was called."""
        return self._calls.read_text().splitlines()

    @property
    def pids(self) -> list[int]:
        """The numbers of the programs that went on: its own, and that of what it started."""
        files = [self.folder / name for name in ("pid", "child")]
        return [int(file.read_text()) for file in files if file.exists()]

    def pid(self) -> int | None:
        """Its own number, once it is known."""
        return self.pids[0] if self.pids else None

    def clear(self) -> None:
        """End what a failed test has left."""
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    """One that was not called yet."""
    made = Fake(tmp_path)
    yield made
    made.clear()


def one(id: str) -> str:
    """A container as it is inspected."""
    return json.dumps({
        "Id": id, "Name": f"/demo-{id}-1", "Image": "sha256:1", "Status": "running", "Health": "",
        "Restarts": 0, "ExitCode": 0, "OOMKilled": False, "Service": id, "OneOff": "False",
        "Config": "", "File": "", "Ports": {}, "Networks": {},
    })  # fmt: skip


@pytest.mark.parametrize("deaf", [False, True])
def test_a_command_whose_time_is_over(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, deaf: bool
) -> None:
    """It is ended, one that does not listen too, and what it had said is kept."""
    monkeypatch.setattr(children, "_KIND_S", 1.0)
    looks: list[float] = []

    def monotonic() -> float:
        """Nothing at first, when the time begins; a long time once the program has begun."""
        looks.append(float(bool(looks) and fake.pid() is not None) * _LONG_S)
        return looks[-1]

    monkeypatch.setattr(dockers, "time", SimpleNamespace(monotonic=monotonic, sleep=time.sleep))
    first = "trap '' TERM; echo begun >&2; " if deaf else "echo begun >&2; "
    asked = fake.answers(first + STAY)
    done = asked.execute("web", ("work", "-x"), 1.0)
    assert (done.code, done.out, done.ok) == (TIMED_OUT, "", False)
    assert done.err.split("\n") == ["begun", "", "ran out of time"]
    assert fake.calls == ["exec web work -x"]
    pid = fake.pid()
    assert pid is not None
    assert not alive(pid)


CHECKED = {"services": {"web": {"healthcheck": {"interval": "3s", "start_interval": "1s"}}}}


@pytest.mark.parametrize(
    ("document", "docker", "compose", "asks", "beside"),
    [
        (CHECKED, "echo 1.41", "echo 2.26.1", 2, True),
        (CHECKED, "echo 1.43", "echo 2.26.1", 2, True),
        (CHECKED, "echo 1.44", "echo 2.26.1", 2, False),
        (CHECKED, "echo 2.0", "echo v5.0.1", 2, False),
        (CHECKED, "echo 1.52", "echo 2.20.0", 2, True),
        (CHECKED, "echo 1.52", "echo v2.23.3", 2, True),
        (CHECKED, "echo 1.52", "echo v2.24.0-desktop.1", 2, False),
        (CHECKED, "echo what", "echo 2.26.1", 4, False),
        (CHECKED, "echo 1.41", "exit 1", 4, False),
        ({"services": {"web": {"healthcheck": {"interval": "3s"}}}}, "echo 1.41", "echo 2.20.0", 0,
         False),
    ],
)  # fmt: skip
def test_an_older_docker_or_compose_is_given_what_it_knows(
    fake: Fake, document: dict[str, Any], docker: str, compose: str, asks: int, beside: bool
) -> None:
    """A file beside the release's own, which stays; they are asked once, where it counts."""
    file = fake.folder / "compose.json"
    file.write_text(json.dumps(document))
    asked = fake.answers(
        f'case "$1 $2" in "version "*) {docker};; "compose version") {compose};; esac'
    )
    for _ in range(2):
        assert asked.compose(str(file), ("up",), _LONG_S).ok
    given = fake.folder / "compose.older.json" if beside else file
    calls = [one for one in fake.calls if one.startswith("compose -p")]
    assert calls == [f"compose -p demo -f {given} up"] * 2
    assert len(fake.calls) - len(calls) == asks
    assert json.loads(file.read_text()) == document
    assert "start_interval" not in given.read_text() or not beside
    assert {one.name for one in fake.folder.glob("compose*")} == {file.name, given.name}


def test_a_wish_to_end_ends_compose(fake: Fake, tmp_path: Path) -> None:
    """It is asked to end, so that it ends what it started itself; no file of it is left."""

    def heed() -> None:
        if len(fake.pids) == 2:
            raise Failed("interrupted", kind="interrupted")

    body = "trap 'kill $one; exit 143' TERM; sleep 600 & one=$!; echo $one >c; mv c child; wait"
    asked = fake.answers(f"echo half; echo $$ >p; mv p pid; {body}", heed)
    with pytest.raises(Failed, match="interrupted"):
        asked.compose("/f.json", ("up",), _LONG_S, output=str(tmp_path / "dumps/one"))
    assert len(fake.pids) == 2
    assert until(lambda: not any(map(alive, fake.pids)))
    assert list((tmp_path / "dumps").iterdir()) == []


def test_what_is_told_to_stop_does_so_before_the_wish_to_end_counts(fake: Fake) -> None:
    """Put back while it still stops, it would end afterwards."""

    def heed() -> None:
        raise Failed("interrupted", kind="interrupted")

    stopped = fake.answers("sleep 1; echo stopped", heed).compose("/f.json", ["stop", "w"], _LONG_S)
    assert (stopped.code, stopped.out) == (0, "stopped\n")
    with pytest.raises(Failed, match="interrupted"):
        fake.answers("sleep 1; echo up", heed).compose("/f.json", ["up", "w"], _LONG_S)


def test_output_goes_into_a_file(fake: Fake, tmp_path: Path) -> None:
    """Whole, and for nobody else's eyes; Compose is given its file and project."""
    file = tmp_path / "dumps/one"
    asked = fake.answers("printf 'a\\0b\\377'; echo talk >&2")
    done = asked.compose("/f.json", ("exec", "-T", "db", "dump"), _LONG_S, output=str(file))
    assert (done.code, done.out, done.err) == (0, "", "talk\n")
    assert file.read_bytes() == b"a\0b\xff"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)] == [0o600, 0o700]
    assert list(file.parent.iterdir()) == [file]
    assert fake.calls == ["compose -p demo -f /f.json exec -T db dump"]


@pytest.mark.parametrize("before", [b"", b"the one before"])
def test_a_failure_leaves_no_half_a_file(fake: Fake, tmp_path: Path, before: bytes) -> None:
    """Neither in its place, where one from before stays as it is, nor beside it."""
    file = tmp_path / "dumps/one"
    if before:
        file.parent.mkdir()
        file.write_bytes(before)
    asked = fake.answers("echo half; echo broken >&2; exit 3")
    done = asked.compose("/f.json", ("exec",), _LONG_S, output=str(file))
    assert (done.code, done.err) == (3, "broken\n")
    assert [path.read_bytes() for path in file.parent.iterdir()] == ([before] if before else [])


def test_input_comes_from_a_file(fake: Fake, tmp_path: Path) -> None:
    """Without one there is nothing to read, and not the runner's own input."""
    (tmp_path / "dump").write_text("what was kept")
    asked = fake.answers("cat")
    given = asked.compose("/f.json", ("exec",), _LONG_S, input=str(tmp_path / "dump"))
    assert given.out == "what was kept"
    assert asked.compose("/f.json", ("exec",), _LONG_S).out == ""


ALONE = """
import sys
from slipway.runner.docker import HostDocker
asked = HostDocker("demo", sys.argv[1])
{}
print("begun", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    "what",
    ['asked.compose("/f", ("up",), 600.0)', "kept = asked.events()", 'kept = asked.stop(("a",))'],
)
def test_children_end_with_a_killed_runner(fake: Fake, what: str) -> None:
    """What nobody watches any more does not go on changing things."""
    fake.answers(STAY)
    runner = subprocess.Popen(
        (sys.executable, "-c", ALONE.format(what), str(fake.program)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(dockers.__file__).parents[2])},
    )
    try:
        pid = until(fake.pid)
        assert alive(pid)
        runner.send_signal(signal.SIGKILL)
        runner.communicate(timeout=_LONG_S)
        assert until(lambda: not alive(pid))
    finally:
        runner.kill()
        runner.wait()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker is asked again without much of a pause."""
    monkeypatch.setattr(dockers, "_AGAIN_S", 0.01)


def test_no_containers(fake: Fake) -> None:
    """A blank list is an answer; there is nothing to inspect then."""
    assert fake.answers("").containers() == ()
    label = "label=com.docker.compose.project=demo"
    assert fake.calls == [f"container ls --all --quiet --no-trunc --filter {label}"]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("first", ["", "cat one"], ids=["blank", "half"])
def test_an_inspection_that_leaves_something_out(fake: Fake, first: str) -> None:
    """Without an error, too, it says nothing of what was listed and is not in it."""
    (fake.folder / "one").write_text(one("a") + "\n")
    (fake.folder / "both").write_text(f"{one('a')}\n{one('b')}\n")
    asked = fake.answers(
        'case "$2" in ls) echo a; echo b; exit;; esac\n'
        f"[ -e again ] || {{ touch again; {first or ':'}; exit 0; }}\ncat both"
    )
    assert [each.id for each in asked.containers()] == ["a", "b"]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("left", ["b", ""])
def test_one_that_vanishes_before_it_is_inspected(fake: Fake, left: str) -> None:
    """It is no part of the answer, and no error; not even when no other is there."""
    (fake.folder / "one").write_text(f"{one(left)}\n" if left else "")
    asked = fake.answers(
        f'case "$2" in ls) [ -e gone ] || echo a; echo {left}; exit;; esac\n'
        'touch gone; cat one; echo "Error response from daemon: No such container: a" >&2; exit 1'
    )
    assert [each.id for each in asked.containers()] == ([left] if left else [])
    assert [call.split()[1] for call in fake.calls] == ["ls", "inspect"]


AWAY = "[ $(wc -l <calls) -gt {} ] || {{ echo 'Cannot connect: is it running?' >&2; exit 1; }}\n"


@pytest.mark.usefixtures("at_once")
def test_a_daemon_that_is_away_for_a_while(fake: Fake) -> None:
    """It is waited for."""
    (fake.folder / "one").write_text(one("a") + "\n")
    asked = fake.answers(AWAY.format(5) + 'case "$2" in ls) echo a;; *) cat one;; esac')
    assert [each.id for each in asked.containers()] == ["a"]
    assert [call.split()[1] for call in fake.calls] == ["ls"] * 6 + ["inspect"]


@pytest.mark.usefixtures("at_once")
def test_a_daemon_that_stays_away(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for ever; what the client said is told, or that there is none."""
    monkeypatch.setattr(dockers, "_WAIT_S", 0.05)
    with pytest.raises(Failed, match="Docker doesn't answer") as caught:
        fake.answers(AWAY.format(9999)).containers()
    assert caught.value.cause.details == ("Cannot connect: is it running?",)
    with pytest.raises(Failed, match="Docker doesn't answer") as caught:
        HostDocker("demo", "/nowhere/docker").containers()
    assert caught.value.cause.details == ("/nowhere/docker: No such file or directory",)


def test_last_lines(fake: Fake) -> None:
    """Of what a container wrote to both streams, without blank ones; none when it is gone."""
    asked = fake.answers("printf 'one\\n\\ntwo  \\n'; printf 'three\\n \\n' >&2")
    assert asked.last_lines("web", 10) == ("one", "two", "three")
    assert asked.last_lines("web", 2) == ("two", "three")
    assert fake.calls == ["logs --tail 10 web", "logs --tail 2 web"]
    assert fake.answers("echo one; exit 1").last_lines("web", 10) == ()


LOG = [
    {"Start": "…", "End": "…", "ExitCode": 0, "Output": "200 OK"},
    {"Start": "…", "End": "…", "ExitCode": 1, "Output": "http://x/ready\n\n500: no disk  \n"},
    {"Start": "…", "End": "…", "ExitCode": 0, "Output": "200 OK"},
]


def test_the_last_check_that_failed(fake: Fake) -> None:
    """What it printed, without blank lines; nothing where none failed, or there is no check."""
    (fake.folder / "log").write_text(json.dumps(LOG))
    asked = fake.answers("cat log")
    assert asked.last_check("web", 3) == ("http://x/ready", "500: no disk")
    assert asked.last_check("web", 1) == ("500: no disk",)
    assert fake.calls[0] == "container inspect --format {{json .State.Health.Log}} web"
    (fake.folder / "log").write_text(json.dumps(LOG[:1]))
    assert asked.last_check("web", 3) == ()
    for odd in ("echo null", "echo '['", "echo '[1]'", "echo '[{}]'", "echo '[]'; exit 1"):
        assert fake.answers(odd).last_check("web", 3) == ()


def test_images_that_stay_are_counted(fake: Fake) -> None:
    """Those of the tags that were to go and are still listed, whatever else is."""
    asked = fake.answers('case "$2" in rm) exit 1;; esac; printf "a:1\\nc:1\\nother:1\\n"')
    assert asked.remove_images(("a:1", "b:1", "c:1")) == 2
    assert fake.calls[0] == "image rm a:1 b:1 c:1"


def test_what_a_run_starts_once_says_so(fake: Fake) -> None:
    """By a label, whatever the command; what a person starts has none, and so is not ended."""
    fake.answers("")
    asked = HostDocker("demo", str(fake.program), run="r7")
    asked.compose("/f.json", ("run", "--rm", "-T", "cli", "migrate"), _LONG_S)
    asked.compose("/f.json", ("up", "--detach"), _LONG_S)
    assert fake.calls == [
        "compose -p demo -f /f.json run --label io.slipway.run=r7 --rm -T cli migrate",
        "compose -p demo -f /f.json up --detach",
    ]


ONCE = """case "$2" in
ls) cat left 2>/dev/null || :;;
rm) shift 3; [ -e stuck ] || { [ -e more ] && mv more left || rm left; };;
esac"""


@pytest.mark.usefixtures("at_once")
def test_containers_of_runs_are_ended_until_none_is_left(fake: Fake) -> None:
    """One that was just being made when it was looked, too; they are counted."""
    (fake.folder / "left").write_text("a\nb\n")
    (fake.folder / "more").write_text("c\n")
    asked = fake.answers(ONCE)
    assert asked.end_once() == 3
    ours = "--filter label=com.docker.compose.project=demo --filter label=io.slipway.run"
    assert fake.calls[0] == f"container ls --all --quiet --no-trunc {ours}"
    ends = [each for each in fake.calls if each.split()[1] == "rm"]
    assert ends == ["container rm --force a b", "container rm --force c"]
    assert asked.end_once() == 0


@pytest.mark.usefixtures("at_once")
def test_one_that_can_not_be_ended(fake: Fake) -> None:
    """It is an error: what it does can't be foreseen."""
    (fake.folder / "left").write_text("a\n")
    (fake.folder / "stuck").touch()
    with pytest.raises(Failed, match="can't be ended") as caught:
        fake.answers(ONCE).end_once()
    assert caught.value.cause.details == ("a",)


NETWORKS = """case "$*" in
*compose.network=back*) echo n1; echo n2;;
*"name=^demo_front$"*) echo n3;;
"container ls"*network=n1) echo c1; echo c2;;
"network rm n4") echo "it is in use" >&2; exit 1;;
*compose.network=stuck*) echo n4;;
esac"""


def test_networks_go_with_what_is_attached(fake: Fake) -> None:
    """Found by Compose's labels, and by no name; containers of this project's on them go first."""
    fake.answers(NETWORKS).remove_networks(("back", "front", "nowhere"))
    changes = [each for each in fake.calls if each.split()[1] != "ls"]
    assert changes == [
        "container stop c1 c2", "container rm --force c1 c2", "network rm n1", "network rm n2",
    ]  # fmt: skip
    asked = [each for each in fake.calls if each.split()[1] == "ls"]
    ours = "--filter label=com.docker.compose.project=demo"
    assert asked[0].endswith(f"{ours} --filter label=com.docker.compose.network=back")
    assert all(ours in each for each in asked)


def test_a_network_that_can_not_go(fake: Fake) -> None:
    """It is named, with what Docker says."""
    with pytest.raises(Failed, match="the network stuck can't be removed") as caught:
        fake.answers(NETWORKS).remove_networks(("stuck",))
    assert caught.value.cause.details == ("it is in use",)


def test_events_until_they_are_ended(fake: Fake) -> None:
    """What was printed so far; the program does not outlive that."""
    events = fake.answers(f"echo '{{\"a\":1}}'; echo '{{\"b\":2}}'; {STAY}").events()
    pid = until(fake.pid)
    assert events.end() == '{"a":1}\n{"b":2}\n'
    assert not alive(pid)
    (call,) = fake.calls
    assert call.startswith("events --filter label=com.docker.compose.project=demo --filter event=")


def test_stopping_is_over_when_all_are(fake: Fake) -> None:
    """Each by a program of its own: a slow one holds no other up."""
    asked = fake.answers("touch begun-$3; until [ -e end-$3 ]; do sleep 0.05; done; exit 1")
    stopping = asked.stop(("a", "b"))
    until(lambda: len(list(fake.folder.glob("begun-*"))) == 2)
    assert not stopping.over()
    (fake.folder / "end-b").touch()
    (fake.folder / "end-a").touch()
    assert until(stopping.over)
    assert sorted(fake.calls) == ["container stop a", "container stop b"]
