"""Each kind of action that takes this machine is carried out, in order."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
from tests.unit.demo import URL, World, wanted, world

from slipway.act.contents import Contents
from slipway.act.deploy import make_draft
from slipway.act.interpret import Interpreter
from slipway.doors import Answer
from slipway.errors import DeployError
from slipway.images.transfer import Transfer
from slipway.ledger.entries import Directory, File, Link, Source
from slipway.plan.actions import Action, Ask, Compose, Load, Run, Write
from slipway.plan.draft import Draft
from slipway.report import Progress


@dataclass
class Bench:
    """A host, and what carries out here what a deploy to it asks of this machine.

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


@pytest.fixture
def bench() -> Bench:
    """A fresh host."""
    made = world()
    planned = make_draft(wanted(), made.doors)
    contents = Contents(planned, made.folder)
    return Bench(made, planned, Interpreter(made.doors, contents, planned.transfer))


def test_load(bench: Bench) -> None:
    """The transfer's images go to the engine; bytes on the wire are counted, progress is shown."""
    bench.do(Load(("demo/web:1", "demo/db:1"), 1))
    assert set(bench.made.engine.held) == {"demo/web:1", "demo/db:1"}
    assert bench.interpreter.bytes_sent == bench.draft.transfer.bytes_to_send > 0
    assert "web, db" in bench.made.talk.getvalue()


def test_progress_is_looked_after_while_images_are_sent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that stands, or a host that unpacks, is shown by somebody else meanwhile."""
    load, beside = bench.made.engine.load, list[str]()

    def loading(transfer: Transfer, progress: Progress) -> int:
        beside.extend(thread.name for thread in threading.enumerate())
        return load(transfer, progress)

    monkeypatch.setattr(bench.made.engine, "load", loading)
    bench.do(Load(("demo/web:1", "demo/db:1"), 1))
    assert "slipway-progress" in beside


def test_write(bench: Bench) -> None:
    """Entries are written in one go, with the contents that they name."""
    entries = (
        Directory("/pool/demo/data", 0o755),
        File("files/x/edge.cfg", Source("config", "edge"), 0o444),
        Link("current", "releases/r"),
    )
    bench.do(Write(entries))
    folder = bench.made.folder
    assert folder.written[-1] == entries
    assert folder.files["files/x/edge.cfg"] == b"listen 80\n"
    assert (folder.live, folder.modes["files/x/edge.cfg"]) == ("r", 0o444)


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


def test_what_the_host_does_is_not_done_here(bench: Bench) -> None:
    """An action of the host's that came here would be a mistake in the order of things."""
    with pytest.raises(AssertionError, match="the host does"):
        bench.do(Compose("r", ("up",), 1.0))
