"""Preparing a host: what is shown, asked, made, and where it stops."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from slipway.act.setup import make
from slipway.app import setup
from slipway.app.setup import prepare, prepared_text
from slipway.app.workspace import Workspace
from slipway.errors import ConfigError, HostError
from slipway.hosts.config import HostEntry
from slipway.hosts.site import NasSite, parse_nas_site, parse_site
from slipway.plan.setup import Call, Thing
from slipway.report import Report
from slipway.stack.model import SecretSpec
from slipway.testing import FakeHost

APP = "/srv/demo"
WELL = {"user": "anna", "uid": "1000", "sudo": "yes", "docker": "29.0\n", "docker_there": "/d",
        "compose": "v2.40\n", "writable": "yes"}  # fmt: skip


class Terminal(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


class Place:
    """A server, a checkout, and what was asked of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.host = FakeHost(name="box")
        self.made = self.works = False
        self.err = io.StringIO()
        self.report = Report(out=io.StringIO(), err=self.err)
        self.entry = HostEntry("box", "ssh", APP, "h", sudo=True)
        self.opened: list[HostEntry] = []
        self.host.on("sh", reply=self._look)
        self.host.on("sudo", reply=self._make)

        def opened(entry: HostEntry, *_: object) -> tuple[FakeHost, str]:
            self.opened.append(entry)
            return self.host, "h"

        monkeypatch.setattr(setup, "open_host", opened)
        specs = (SecretSpec("made", generate=9), SecretSpec("given"), SecretSpec("supplied"),
                 SecretSpec("may", optional=True))  # fmt: skip
        self.reading = SimpleNamespace(stack=SimpleNamespace(secrets=specs),
                                       supplied={"supplied": 1})  # fmt: skip
        self.workspace = cast(Workspace, SimpleNamespace(
            entry=lambda _: self.entry, rehearsals=lambda: None, shell=None, report=self.report,
            reading=lambda _: self.reading,
        ))  # fmt: skip

    def _look(self, *_: object) -> bytes:
        found = {**WELL, f"folder {APP}": "0 0 755 directory" if self.made else ""}
        return "".join(f"{k} {len(v)}\n{v}\n" for k, v in found.items()).encode()

    def _make(self, *_: object) -> bytes:
        self.made = self.works
        return b""

    def prepare(self, *, yes: bool = False, dry: bool = False, source: Any = None) -> Any:
        return prepare(self.workspace, None, yes=yes, dry=dry, source=source or io.StringIO())


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    """A server that lacks its folder."""
    one = Place(monkeypatch)
    one.works = True
    return one


def commands(place: Place) -> list[tuple[str, ...]]:
    """What was changed on the host."""
    return [call for call in place.host.calls if call[0] == "sudo"]


def test_only_looking_changes_nothing(place: Place) -> None:
    """It is told what would be made; without sudo, which a first login may not have."""
    found = place.prepare(dry=True)
    assert [one.name for one in found.lacking] == ["folder"]
    assert (commands(place), found.to_json()["made"]) == ([], [])
    assert place.opened[0].sudo is False and place.host.closed
    text = prepared_text(found, place.report)
    assert "a secret that you give: given\n" in text
    assert text.endswith("box: nothing was changed")


def test_without_a_terminal_nobody_agrees(place: Place) -> None:
    """What would be made is told, with the flag that agrees."""
    with pytest.raises(ConfigError, match="nobody can be asked; nothing was changed") as caught:
        place.prepare()
    assert caught.value.hint == "./inv host.setup --host box --yes"
    assert commands(place) == [] and f"{APP}, of mode 0755" in place.err.getvalue()


@pytest.mark.parametrize(("answer", "agreed"), [("y\n", True), ("\n", False), ("no\n", False)])
def test_a_person_is_asked(place: Place, answer: str, agreed: bool) -> None:
    """Only yes is yes."""
    found = place.prepare(source=Terminal(answer))
    assert (found.made, place.made) == (agreed, agreed)


def test_made_once_and_then_there(place: Place) -> None:
    """The second time there is nothing to do, and nobody is asked."""
    first = place.prepare(yes=True)
    assert first.to_json()["made"] == ["folder"]
    text = prepared_text(first, place.report)
    assert f"made  {APP}, of mode 0755" in text
    assert "prepared; next: ./inv host.doctor --host box" in text
    (command,) = commands(place)
    assert command == ("sudo", "-n", "--", "sh", "-c", 'exec "$@"', "setup",
                       "mkdir", "-p", "-m", "0755", "--", APP)  # fmt: skip
    second = place.prepare()
    assert (second.lacking, second.exit_code) == ((), 0)
    assert prepared_text(second, place.report).endswith("box: nothing to do")
    assert len(commands(place)) == 1


def test_what_was_taken_and_is_not_there(place: Place) -> None:
    """Is no success."""
    place.works = False
    with pytest.raises(HostError, match="took everything, and still lacks"):
        place.prepare(yes=True)


def test_what_is_left_for_a_person_is_no_success(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is 4, and the rest is made all the same."""
    monkeypatch.setitem(WELL, "compose", "")
    found = place.prepare(yes=True)
    assert (found.made, found.exit_code) == (True, 4)
    text = prepared_text(found, place.report)
    assert text.endswith("box: 1 thing for you to do; then run it again")


def test_it_stops_in_the_middle_and_says_where() -> None:
    """What is made, what is not, and that it goes on from there."""
    host = FakeHost(name="nas")
    told = iter([{"result": 1}, {"error": {"kind": "invalid", "errname": "EEXIST",
                                           "message": "Path exists"}}])  # fmt: skip
    host.on("python3", reply=lambda *_: (json.dumps(next(told)) + "\n").encode())
    things = [
        Thing(name, f"the {name}", "make", calls=(Call("x.y", (1,)),)) for name in ("a", "b", "c")
    ]
    others = [Thing("y", "is there"), Thing("z", "is yours", "person", "do it")]
    said: list[str] = []
    with pytest.raises(
        HostError, match=r"in part only; not made was the b: .*Path exists"
    ) as error:
        make(host, [*others, *things], sudo=True, tell=said.append)
    assert error.value.details == ("made: the a", "not begun: the c")
    assert "host.setup --host nas goes on" in (error.value.hint or "")
    assert said == ["the a", "the b"]


def test_a_job_is_followed_and_nothing_told_twice() -> None:
    """Only what is new of it, with the call as it is made."""
    host = FakeHost(name="nas")
    steps = [("", 0), ("Stopping", 20), ("Stopping", 20), ("Done", 100)]
    lines = [{"progress": {"description": words, "percent": far}} for words, far in steps]
    reply = "".join(json.dumps(one) + "\n" for one in [*lines, {"result": None}])
    host.on("python3", reply=reply.encode())
    said: list[str] = []
    call = Call("docker.update", ({"pool": "tank"},), job=True)
    make(host, [Thing("pool", "the pool", "make", calls=(call,))], sudo=False, tell=said.append)
    assert said == ["the pool", "20 % Stopping", "100 % Done"]
    assert json.loads(host.streamed[0]) == [
        {"method": "docker.update", "args": [{"pool": "tank"}], "job": True}
    ]


def test_any_answer_is_read() -> None:
    """What a host leaves out is not there; nothing is a traceback."""
    assert parse_site({}).docker_missing and parse_site({}).uid == -1
    assert parse_nas_site([None] * 6) == NasSite()
    odd = parse_nas_site([1, 2, [3], [{"id": 4}], [{"id": "x"}], {}], "why")
    assert (odd.user_id, odd.pools, odd.refused) == (None, (), "why")


def test_the_checkout_that_can_not_be_read(place: Place) -> None:
    """The host is prepared all the same."""

    def refuse(_: object) -> None:
        raise ConfigError("the files are odd")

    place.workspace.reading = refuse  # type: ignore[method-assign, assignment]
    found = place.prepare(dry=True)
    assert found.unchecked == ("which secrets you give: the files are odd",)
    assert found.secrets == ()
