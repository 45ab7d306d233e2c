"""Each kind of action is carried out, in order, until one says that the rest has nothing to do."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tests.unit.demo import URL, World, image, wanted, world

from slipway.act.contents import Contents
from slipway.act.deploy import make_draft
from slipway.act.interpret import Interpreter
from slipway.doors import Answer
from slipway.errors import DeployError
from slipway.runner.containers import Container
from slipway.ledger.entries import Directory, File, Line, Link, Source
from slipway.runner.expected import Expected
from slipway.plan.actions import Action, Ask, Compose, Load, Remove, Run, Watch, Write
from slipway.plan.draft import Draft


@dataclass
class Bench:
    """A host and what carries out actions on it, with the sample deploy's files there.

    Attributes:
        made: the host.
        draft: the deploy.
        interpreter: what is tested.
    """

    made: World
    draft: Draft
    interpreter: Interpreter

    def do(self, *actions: Action) -> None:
        """Carry them out."""
        self.interpreter.carry_out(actions)

    @property
    def release(self) -> str:
        """Its id."""
        return self.draft.release.id


@pytest.fixture
def bench() -> Bench:
    """A fresh host with the release's Compose file on it and its images loaded."""
    made = world()
    planned = make_draft(wanted(), made.doors)
    contents = Contents(planned, made.folder, made.clock)
    name = f"releases/{planned.release.id}/compose.json"
    made.folder.write((File(name, Source("compose", planned.release.id), 0o644),), contents)
    made.engine.held = {one.reference: one for one in planned.wanted.images}
    return Bench(made, planned, Interpreter(made.doors, contents, planned.transfer))


def test_load(bench: Bench) -> None:
    """The transfer's images go to the engine; bytes on the wire are counted, progress is shown."""
    bench.made.engine.held.clear()
    bench.do(Load(("demo/web:1", "demo/db:1"), 1))
    assert set(bench.made.engine.held) == {"demo/web:1", "demo/db:1"}
    assert bench.interpreter.bytes_sent == bench.draft.transfer.bytes_to_send > 0
    assert "web, db" in bench.made.talk.getvalue()


def test_write(bench: Bench) -> None:
    """Entries are written in one go, with the contents that they name."""
    entries = (
        Directory("/pool/demo/data", 0o755),
        File("files/x/edge.cfg", Source("config", "edge"), 0o444),
        Line("journal.jsonl", Source("journal", "intent")),
        Link("current", "releases/r"),
    )
    bench.do(Write(entries))
    folder = bench.made.folder
    assert folder.written[-1] == entries
    assert folder.files["files/x/edge.cfg"] == b"listen 80\n"
    assert (folder.live, folder.modes["files/x/edge.cfg"]) == ("r", 0o444)
    assert folder.files["journal.jsonl"].endswith(b"\n")


def test_remove(bench: Bench) -> None:
    """Images, networks and paths go; what a container uses stays and is not counted."""
    engine, folder = bench.made.engine, bench.made.folder
    engine.held |= {"demo/web:0": image("web", "0"), "demo/db:0": image("db", "0")}
    engine.in_use = ("demo/db:0",)
    folder.files |= {"files/a/b": b"", "releases/old/release.json": b"", "files/keep/b": b""}
    bench.do(
        Remove(("demo/web:0", "demo/db:0"), ("inner",), ("files/a/b", "releases/old"), 5_000_000)
    )
    assert "demo/web:0" not in engine.held
    assert "demo/db:0" in engine.held
    assert engine.removed_networks == ["inner"]
    assert {"files/a/b", "releases/old/release.json"} & set(folder.files) == set()
    assert "files/keep/b" in folder.files
    assert "1 image tags, 2 files and folders: 5.0 MB freed" in bench.made.talk.getvalue()


def test_remove_networks_only_says_nothing(bench: Bench) -> None:
    """Nothing is freed by it."""
    bench.do(Remove(networks=("inner",)))
    assert bench.made.engine.removed_networks == ["inner"]
    assert "freed" not in bench.made.talk.getvalue()


def test_compose(bench: Bench) -> None:
    """Its arguments are passed on, with the file of the release that it names."""
    bench.do(Compose(bench.release, ("up", "--detach"), 5.0))
    assert bench.made.engine.commands == [("up", "--detach")]
    assert {one.service for one in bench.made.engine.running} == {"web", "db"}
    with pytest.raises(KeyError):
        bench.do(Compose("another", ("up",), 5.0))


def test_a_gate_that_is_shut(bench: Bench) -> None:
    """An empty list means that the rest of the step has nothing to do."""
    ask = Compose(bench.release, ("run", "job", "--plan"), 5.0, "x", gate=True)
    then = Compose(bench.release, ("run", "job"), 5.0)
    bench.do(ask, then)
    assert bench.made.engine.commands == [ask.arguments]
    bench.made.engine.pending = [{"revision": "a1", "message": "tables"}]
    bench.do(ask, then)
    assert bench.made.engine.commands[1:] == [ask.arguments, then.arguments]
    assert "a1  tables" in bench.made.talk.getvalue()


@pytest.mark.parametrize("said", ["", "not json", "{}x", "3", '["a"]'])
def test_a_gate_that_says_something_else(bench: Bench, said: str) -> None:
    """What a migration's plan prints must be a list of objects; its first lines are shown."""
    bench.made.engine.pending = None  # type: ignore[assignment]
    compose = bench.made.engine.compose

    def answering(*args, **more):  # type: ignore[no-untyped-def]
        done = compose(*args, **more)
        return type(done)((), 0, said.encode(), b"")

    bench.made.engine.compose = answering  # type: ignore[method-assign]
    with pytest.raises(DeployError, match="not the JSON it should be") as caught:
        bench.do(Compose(bench.release, ("run", "job", "--plan"), 5.0, "x", gate=True))
    assert list(caught.value.details) == said.splitlines()


def test_watch(bench: Bench) -> None:
    """Services are waited for, and the first that isn't well speaks."""
    up = Container("web", "c1", "web", "i", "running", "healthy")
    bench.made.engine.running = [up]
    bench.do(Watch((Expected("web", 1, 20),)))
    bench.made.engine.crash("web", state="exited", exit_code=3)
    with pytest.raises(DeployError, match="web exited with code 3") as caught:
        bench.do(Watch((Expected("web", 1, 20), Expected("db", 1, 20))))
    assert "  the last words of c1" in caught.value.details


def test_ask(bench: Bench) -> None:
    """The URL is asked until it answers."""
    bench.made.http.answers[f"{URL}/health"] = [Answer(503, b""), Answer(200, b"")]
    bench.do(Ask(f"{URL}/health"))
    assert bench.made.http.asked == [f"{URL}/health"] * 2


def test_run(bench: Bench) -> None:
    """A program of this machine is run, with what it is given."""
    bench.made.folder.files["secrets/token/2"] = b"t"
    bench.do(Run(("smoke", URL), (("TOKEN_FILE", "token", 2),)))
    assert bench.made.shell.calls == [("smoke", URL)]
    assert "TOKEN_FILE" in bench.made.shell.environments[0]


def test_the_first_failure_ends_it(bench: Bench) -> None:
    """What comes after a failed action is not begun."""
    bench.made.shell.on("smoke", reply=1)
    with pytest.raises(DeployError, match="code 1"):
        bench.do(Run(("smoke",)), Write((Link("current", "releases/r"),)))
    assert bench.made.folder.live is None
