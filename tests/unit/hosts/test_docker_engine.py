"""The engine on a host: doubts are sent again whole."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.doors import Completed
from slipway.errors import HostError
from slipway.hosts.delta import LIMIT, Delta
from slipway.hosts.docker import DockerEngine
from slipway.hosts.engine import FRESH_FACTS_S, FRESH_S
from slipway.hosts.facts import Facts
from slipway.hosts.load import _LOAD, Loaded
from slipway.hosts.shelf import Shelf
from slipway.images.transfer import Transfer, plan_transfer
from slipway.images.values import HeldImages, Image
from slipway.report import Progress
from slipway.testing import FakeHost

FACTS = (Path(__file__).parent / "samples/facts-26.1-overlay2.txt").read_bytes()
BARE = Image("web", "demo/web:1", b"{}", "sha256:c", b"{}", "sha256:m", ())
SHOWN = json.dumps({"Id": "sha256:c", "RepoTags": ["demo/web:1"], "Layers": []})
HELD = f"images {len(SHOWN)}\n{SHOWN}\ncontainers 0\n\nnetworks 0\n\n"


class Counted(Progress):
    """Counts."""

    total = 0

    def advance(self, amount: int, note: str = "") -> None:
        """Add."""
        self.total += amount

    def expect(self, amount: int) -> None:
        """Nothing is shown."""

    def still(self) -> None:
        """Nothing is shown."""

    def done(self) -> None:
        """Nothing."""


def engine(host: FakeHost) -> DockerEngine:
    """An engine that was asked for its facts, and said :data:`FACTS`."""
    asked = FakeHost()
    asked.on("sh", reply=FACTS)
    made = DockerEngine(asked, "demo")
    made.facts("/pool")
    made._host = host
    return made


def test_facts() -> None:
    """Versions and the images' folder are Docker's own words; what is asked about is named."""
    host = FakeHost()
    host.on("sh", reply=FACTS)
    facts = DockerEngine(host, "demo", "/bin/docker").facts("/pool/app")
    assert (facts.docker, facts.compose, facts.root) == (
        "26.1.5+dfsg1", "2.26.1-4", "/mnt/.ix-apps/docker",
    )  # fmt: skip
    assert host.calls[0][-3:] == ("/bin/docker", "/pool/app", "demo")


def test_what_was_seen_ahead_is_told_once() -> None:
    """It is not asked again when it is needed; later it is: something may have changed."""
    host = FakeHost()
    host.on("sh", reply=HELD)
    made = DockerEngine(host, "demo")
    made.look_ahead()
    assert len(host.calls) == 1
    seen = made.state()
    assert "demo/web:1" in seen.images.references
    assert len(host.calls) == 1
    assert made.state() == seen
    assert len(host.calls) == 2


def test_what_was_seen_too_long_ago_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """While images were built a minute has passed."""
    host, now = FakeHost(), [100.0]
    host.on("sh", reply=HELD)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    made = DockerEngine(host, "demo")
    made.look_ahead()
    now[0] += FRESH_S + 0.1
    made.state()
    assert len(host.calls) == 2


def test_what_a_host_is_like_is_asked_ahead_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next to ask is told, and whoever asks after that, or too late, asks the host."""
    host, now = FakeHost(), [100.0]
    host.on("sh", reply=FACTS)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    made = DockerEngine(host, "demo")
    made.look_round("/pool")
    assert made.facts("/pool").docker == "26.1.5+dfsg1"
    assert len(host.calls) == 1
    made.facts("/pool")
    assert len(host.calls) == 2
    made.look_round("/pool")
    now[0] += FRESH_FACTS_S + 0.1
    made.facts("/pool")
    assert len(host.calls) == 4


def test_who_needs_what_is_being_asked_waits_for_it() -> None:
    """It is not asked a second time."""
    host, asked, go_on = FakeHost(), threading.Event(), threading.Event()

    def reply(argv: Sequence[str], data: bytes) -> bytes:
        asked.set()
        assert go_on.wait(20)
        return FACTS

    host.on("sh", reply=reply)
    made, found = DockerEngine(host, "demo"), list[Facts]()
    threads = [
        threading.Thread(target=made.look_round, args=("/pool",)),
        threading.Thread(target=lambda: found.append(made.facts("/pool"))),
    ]
    threads[0].start()
    assert asked.wait(20)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert (len(host.calls), found[0].docker) == (1, "26.1.5+dfsg1")


def test_nothing_is_sent_to_a_host_that_was_not_asked() -> None:
    """How to send follows from the facts, so those are asked for first."""
    with pytest.raises(AssertionError, match="comes before"):
        DockerEngine(FakeHost(), "demo").load(plan_transfer([BARE], HeldImages()), Counted())


def test_what_was_loaded_is_counted() -> None:
    """Bytes are those on the wire, compressed; progress counts what they hold."""
    host, progress = FakeHost(), Counted()
    host.on("sh", "-c", _LOAD, reply="Loaded image: demo/web:1\n")
    host.on("sh", "-c", reply=SHOWN)
    transfer = plan_transfer([BARE], HeldImages())
    assert engine(host).load(transfer, progress) == len(host.streamed[0])
    assert progress.total == transfer.bytes_to_send > len(host.streamed[0])
    assert len(host.streamed) == 1


def test_doubtful_image_is_sent_again_whole() -> None:
    """An image that isn't plainly right afterwards is sent once more."""
    host = FakeHost()
    said = ["Error unpacking image\n", "Loaded image: demo/web:1\n"]
    host.on("sh", "-c", _LOAD, reply=lambda argv, data: said.pop(0))
    host.on("docker", "image", "rm", reply=b"")
    host.on("sh", "-c", reply=SHOWN)
    transfer = plan_transfer([BARE], HeldImages())
    assert engine(host).load(transfer, Counted()) == sum(map(len, host.streamed))
    assert len(host.streamed) == 2


def test_image_that_never_loads_is_an_error() -> None:
    """After a second failure the error names the image and says what Docker said both times."""
    host = FakeHost()
    said = [b"unexpected EOF", b"no space left on device"]
    host.on("sh", "-c", _LOAD, reply=lambda argv, data: Completed((), 1, b"", said.pop(0)))
    host.on("docker", "image", "rm", reply=b"")
    host.on("sh", "-c", reply=b"")
    with pytest.raises(HostError, match="did not load demo/web:1") as caught:
        engine(host).load(plan_transfer([BARE], HeldImages()), Counted())
    assert caught.value.details == ("unexpected EOF", "no space left on device")


class Spy(Delta):
    """A difference whose answer is set, and which remembers what it was asked."""

    def __init__(self, host: FakeHost, answer: Loaded | None) -> None:
        super().__init__(host, "/cache", Shelf(Path("/none")), print)
        self.answer, self.asked, self.seeded = answer, 0, 0

    def load(
        self,
        transfer: Transfer,
        facts: Facts,
        counted: Callable[[Iterator[bytes]], Iterator[bytes]],
    ) -> Loaded | None:
        """Count three bytes, give the answer."""
        self.asked += sum(len(chunk) for chunk in counted(iter([b"abc"])))
        return self.answer

    def seed(
        self,
        images: Sequence[Image],
        facts: Facts,
        counted: Callable[[Iterator[bytes]], Iterator[bytes]],
    ) -> None:
        """Count five bytes."""
        self.seeded += sum(len(chunk) for chunk in counted(iter([b"abcde"])))


def loading(answer: Loaded | None, transfer: Transfer) -> tuple[FakeHost, Spy, int, int]:
    """Load with a difference that gives ``answer``: host, spy, bytes sent, bytes shown."""
    host, progress = FakeHost(), Counted()
    host.on("sh", "-c", _LOAD, reply="Loaded image: demo/web:1\n")
    host.on("sh", "-c", reply=SHOWN)
    spy = Spy(host, answer)
    made = engine(host)
    made._delta = lambda: spy
    sent = made.load(transfer, progress)
    return host, spy, sent, progress.total


def test_a_difference_is_enough() -> None:
    """When the difference did it, nothing else is sent, and the wire's bytes are its own."""
    transfer = plan_transfer([BARE], HeldImages())
    host, spy, sent, shown = loading(Loaded(("demo/web:1",), ()), transfer)
    assert (host.streamed, sent, shown) == ([], 3, transfer.bytes_to_send)
    assert spy.seeded == 0


def test_without_a_difference_it_goes_the_usual_way() -> None:
    """When the difference could not be, the whole archive goes; both attempts are counted."""
    host, _, sent, _ = loading(None, plan_transfer([BARE], HeldImages()))
    assert sent == 3 + len(host.streamed[0])
    assert len(host.streamed) == 1


def test_a_doubt_after_a_difference_is_sent_whole() -> None:
    """An image in doubt after a difference is sent once more, in the usual way."""
    host, _, sent, _ = loading(Loaded((), (BARE,)), plan_transfer([BARE], HeldImages()))
    assert len(host.streamed) == 1
    assert sent == 3 + len(host.streamed[0])


def test_a_large_transfer_seeds() -> None:
    """After a large archive the first reference goes over too, and is counted."""
    transfer = replace(plan_transfer([BARE], HeldImages()), bytes_to_send=LIMIT + 1)
    host, spy, sent, _ = loading(None, transfer)
    assert spy.seeded == 5
    assert sent == 3 + len(host.streamed[0]) + 5
