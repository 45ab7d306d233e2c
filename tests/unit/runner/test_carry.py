"""Each kind of action is carried out, in order, until one says that the rest has nothing to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tests.unit.demo import URL, image
from tests.unit.runner import bench as benches
from tests.unit.runner.bench import Bench
from tests.unit.runner.model import PLACE, Model

from slipway.ledger.entries import Link
from slipway.plan.actions import Ask, Check, Compose, Count, Hand, Remove, Watch, Write
from slipway.runner.carry import Carrier, changes
from slipway.runner.containers import Container
from slipway.runner.doors import Done
from slipway.runner.expected import Expected
from slipway.runner.failure import Failed
from slipway.runner.listener import SpoolListener
from slipway.runner.spool import Spool


@pytest.fixture
def bench() -> Bench:
    """A fresh host with the release's Compose file on it and its images loaded."""
    return benches.bench()


def test_a_link(bench: Bench) -> None:
    """The link is switched."""
    bench.do(Write((Link("current", "releases/r"),)))
    assert bench.folder.current() == "r"


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
    assert bench.listener.events == [
        {"event": "removed", "bytes": 5_000_000, "images": 1, "paths": 2}
    ]


def test_remove_networks_only_says_nothing(bench: Bench) -> None:
    """Nothing is freed by it."""
    bench.do(Remove(networks=("inner",)))
    assert bench.made.engine.removed_networks == ["inner"]
    assert bench.listener.events == []


def test_secrets_are_handed_and_taken(bench: Bench) -> None:
    """The folder holds these and no others; who runs is told, in each of its containers."""
    engine, folder = bench.made.engine, bench.made.folder
    bench.do(Compose(bench.release, ("up", "--detach"), 5.0))
    folder.files |= {
        "secrets/pw/1": b"old", "secrets/pw/2": b"new", "handed/db/gone": b"x"
    }  # fmt: skip
    both = (("pw", "secrets/pw/2"), ("pw.before", "secrets/pw/1"))
    bench.do(Hand("db", both))
    assert handed(bench) == {"handed/db/pw": b"new", "handed/db/pw.before": b"old"}
    assert engine.executed == []
    bench.do(Hand("db", both[:1], ("take", "them")))
    assert handed(bench) == {"handed/db/pw": b"new"}  # and no mark
    (ids,) = {one.id for one in engine.running if one.service == "db"}
    assert engine.executed == [(ids, "take", "them")]
    assert changes(Hand("db", both, ("take",)).to_json())
    assert not changes(Hand("db", both).to_json())


def handed(bench: Bench) -> dict[str, bytes]:
    """What lies in the folders of running services."""
    files = bench.made.folder.files
    return {path: data for path, data in files.items() if path.startswith("handed/")}


def test_a_service_that_does_not_take_its_secrets_is_told(bench: Bench) -> None:
    """With its last lines, after a minute; the mark stays. One that does not run takes nothing."""
    bench.do(Compose(bench.release, ("up", "--detach"), 5.0))
    bench.made.engine.sick = {one.image_id for one in bench.made.engine.running}
    began = bench.clock.monotonic()
    with pytest.raises(Failed, match="db does not take its secrets"):
        bench.do(Hand("db", (), ("take",)))
    assert bench.clock.monotonic() - began >= 60
    assert handed(bench) == {"handed/db.untold": b""}
    engine = bench.made.engine
    engine.running = [replace(one, state="exited") for one in engine.running]
    bench.do(Hand("db", (), ("take",)))


def test_one_that_just_started_is_asked_again(bench: Bench) -> None:
    """A host that came back has started it a moment ago."""
    bench.do(Compose(bench.release, ("up", "--detach"), 5.0))
    engine = bench.made.engine
    engine.sick = {one.image_id for one in engine.running}
    real = bench.clock.sleep

    def well_later(seconds: float) -> None:
        real(seconds)
        engine.sick = set()

    bench.clock.sleep = well_later  # type: ignore[method-assign]
    bench.do(Hand("db", (), ("take",)))
    assert handed(bench) == {}


def test_compose(bench: Bench) -> None:
    """Its arguments are passed on, with the file of the release that it names."""
    bench.do(Compose(bench.release, ("up", "--detach"), 5.0))
    assert bench.made.engine.commands == [("up", "--detach")]
    assert {one.service for one in bench.made.engine.running} == {"web", "db"}
    with pytest.raises(KeyError):
        bench.do(Compose("another", ("up",), 5.0))


def test_compose_writes_what_it_is_asked_to_keep(bench: Bench) -> None:
    """A dump lies below the application's folder."""
    bench.do(Compose(bench.release, ("exec", "db", "dump"), 5.0, output="releases/r/database.dump"))
    assert bench.made.folder.files["releases/r/database.dump"] == b"dumped"


def test_a_failure_is_named_as_the_action_says(bench: Bench) -> None:
    """With what the program said last; or by the container that is broken."""
    bench.made.engine.migrate_code = 1
    with pytest.raises(Failed) as caught:
        bench.do(Compose(bench.release, ("run", "job"), 5.0, "the migration failed"))
    cause = caught.value.cause
    assert (cause.message, cause.details) == ("the migration failed", ("no such table",))
    bench.made.engine.running = [Container("web", "c1", "w", "i", "exited", exit_code=3)]
    bench.made.engine.broken_up = lambda: "dependency failed to start"
    with pytest.raises(Failed, match="web exited with code 3") as caught:
        bench.do(Compose(bench.release, ("up",), 5.0))
    assert "  the last words of c1" in caught.value.cause.details


def test_a_gate_that_is_shut(bench: Bench) -> None:
    """An empty list means that the rest of the step has nothing to do."""
    ask = Compose(bench.release, ("run", "job", "--plan"), 5.0, "x", gate=True)
    then = Compose(bench.release, ("run", "job"), 5.0)
    bench.do(ask, then)
    assert bench.made.engine.commands == [ask.arguments]
    bench.made.engine.pending = [{"revision": "a1", "message": "tables"}]
    bench.do(ask, then)
    assert bench.made.engine.commands[1:] == [ask.arguments, then.arguments]
    assert bench.listener.named("say")[-1]["text"] == "  a1  tables"


@pytest.mark.parametrize("said", ["", "not json", "{}x", "3", '["a"]'])
def test_a_gate_that_says_something_else(bench: Bench, said: str) -> None:
    """What a migration's plan prints must be a list of objects; its first lines are shown."""

    def answering(*_: object, **__: object) -> Done:
        return Done(0, said)

    bench.made.engine.compose = answering  # type: ignore[method-assign]
    with pytest.raises(Failed, match="not the JSON it should be") as caught:
        bench.do(Compose(bench.release, ("run", "job", "--plan"), 5.0, "x", gate=True))
    assert list(caught.value.cause.details) == said.splitlines()


def test_watch(bench: Bench) -> None:
    """Services are waited for, and the first that isn't well speaks."""
    up = Container("web", "c1", "web", "i", "running", "healthy")
    bench.made.engine.running = [up]
    bench.do(Watch((Expected("web", 1, 20),)))
    bench.made.engine.crash("web", state="exited", exit_code=3)
    with pytest.raises(Failed, match="web exited with code 3") as caught:
        bench.do(Watch((Expected("web", 1, 20), Expected("db", 1, 20))))
    assert "  the last words of c1" in caught.value.cause.details


def test_a_watch_counts_the_releases_own_containers(bench: Bench) -> None:
    """An old one that is just ending beside the new one is no fault of the new one's."""
    new = Container("web", "c2", "web-2", "i2", "running", "healthy", config="h")
    old = replace(new, id="c1", name="web-1", image_id="i1", state="exited", health="")
    bench.made.engine.running = [old, new]
    bench.do(Watch((Expected("web", 1, 20, config="h", images=("i2",)),)))
    with pytest.raises(Failed, match="exited"):
        bench.do(Watch((Expected("web", 1, 20, config="h"),)))


def test_a_check_runs_in_every_container(bench: Bench) -> None:
    """The health check's own program, now; the first that does not pass is named."""
    bench.made.engine.running = [
        Container("web", "c1", "w1", "i", "running"),
        Container("web", "c2", "w2", "sick", "running"),
        Container("web", "c3", "w3", "i", "exited"),
        Container("web", "c4", "w4", "i", "running", one_off=True),
        Container("db", "c5", "d1", "i", "running"),
    ]
    check = Check((("web", ("probe", "x")),))
    bench.do(check)
    assert bench.made.engine.executed == [("c1", "probe", "x"), ("c2", "probe", "x")]
    bench.made.engine.sick.add("sick")
    with pytest.raises(Failed, match="web does not pass its health check") as caught:
        bench.do(check)
    assert caught.value.cause.details == ("it is ill",)
    assert bench.made.engine.executed[2:] == [("c1", "probe", "x"), *[("c2", "probe", "x")] * 3]


def test_a_check_of_what_is_new_leaves_the_old_beside_it(bench: Bench) -> None:
    """A worker that ends its last task need not be well any more."""
    bench.made.engine.running = [
        Container("web", "old", "w1", "sick", "running", config="before"),
        Container("web", "new", "w2", "i", "running", config="h"),
    ]
    bench.made.engine.sick.add("sick")
    bench.do(Check((("web", ("probe", "x")),), (Expected("web", 1, 20, config="h"),)))
    assert bench.made.engine.executed == [("new", "probe", "x")]


def test_what_takes_another_machine_is_asked_of_it(bench: Bench) -> None:
    """It is that machine's turn; when nobody is there it is noted, and the rest goes on."""
    link = Write((Link("current", "releases/r"),))
    assert bench.do(Ask(URL), link).absent == []
    assert bench.listener.named("turn") == [{"event": "turn", "step": "step", "index": 0}]
    bench.listener.there = False
    assert bench.do(link, Ask(URL)).absent == ["ask"]
    assert bench.listener.named("turn")[-1]["index"] == 1
    bench.listener.fails = "it gave 503"
    with pytest.raises(Failed, match="it gave 503"):
        bench.do(Ask(URL))


def test_what_is_removed_while_it_is_asked_is_told_at_once(bench: Bench) -> None:
    """What was seen to be well before, by a step before as well."""
    web = Container("web", "c1", "w1", "i", "running", "healthy")
    bench.made.engine.running = [web]
    carrier = bench.do(Watch((Expected("web", 1, 20),)), Ask(URL))
    bench.made.engine.running = []
    with pytest.raises(Failed, match="web was removed: 0 of 1 are there"):
        carrier.carry_out("smoke", [Ask(URL).to_json()])


def test_whoever_wants_the_end_is_heeded_between_actions(bench: Bench) -> None:
    """The next action is not begun."""
    bench.listener.cancel_at = 0
    with pytest.raises(Failed, match="interrupted"):
        bench.do(Ask(URL), Write((Link("current", "releases/r"),)))
    assert bench.folder.current() is None


def test_requests_are_counted(tmp_path: Path) -> None:
    """However many there are: an event's number is its place, by which more of them are asked."""
    model = Model(Random(2))
    model.sessions[model.places[0].address] = [1000.0] * 7
    spool = Spool(str(tmp_path), "r")
    spool.make({"holder": {}})
    doors = replace(model.doors, listener=SpoolListener(spool))
    Carrier(doors, PLACE).carry_out("end", [Count().to_json()] * 2)
    assert [(one["number"], one["event"], one["count"]) for one in spool.events()] == [
        (0, "requests", 7),
        (1, "requests", 7),
    ]
