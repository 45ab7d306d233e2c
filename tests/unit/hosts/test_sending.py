"""A large transfer arrives in portions; one that broke off is taken up where it was."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.unit.images.sample_images import image_of, real_layer

from slipway.doors import Completed
from slipway.errors import HostAway, HostError, HostUnreachable
from slipway.hosts import sending as module
from slipway.hosts.facts import Facts
from slipway.hosts.load import Loaded
from slipway.hosts.sending import PAUSES_S, Sending, Wire, persist
from slipway.images import portions as cut
from slipway.images.transfer import Transfer, plan_transfer
from slipway.images.values import HeldImages, Image
from slipway.testing import FakeHost

#: Neither compressed nor sent as a difference, so that what arrives can be looked into.
FACTS = Facts("24.0.7", "2.20.0", containerd_store=True)


class Store(FakeHost):
    """Docker's store at the end of a line that breaks.

    Attributes:
        breaks: for each stream after how many bytes it breaks; None for never.
        silent: how many questions nobody answers after a break.
        spoilt: how many archives are refused.
        loads: the layers in each archive that arrived.
    """

    breaks: list[int | None]
    silent = 0
    spoilt = 0

    def __init__(self, *breaks: int | None) -> None:
        super().__init__()
        self.breaks = list(breaks)
        self.loads: list[set[str]] = []
        self.images: dict[str, tuple[str, tuple[str, ...]]] = {}

    def stream(
        self, argv: Sequence[str], chunks: Iterable[bytes], *, stall_timeout: float
    ) -> Completed:
        """Load an archive as Docker does: whole or not at all."""
        limit = self.breaks.pop(0) if self.breaks else None
        data = b""
        for chunk in chunks:
            data += chunk
            if limit is not None and len(data) > limit:
                raise HostAway("nas is gone", hint="look")
        if self.spoilt:
            self.spoilt -= 1
            return Completed(tuple(argv), 1, b"", b"no space left on device")
        return Completed(tuple(argv), 0, self._loaded(data).encode(), b"")

    def _loaded(self, data: bytes) -> str:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            members = {one.name: tar.extractfile(one) for one in tar if one.isfile()}
        content = {name: file.read() for name, file in members.items() if file}
        there = {c[:end] for _, c in self.images.values() for end in range(1, len(c) + 1)}
        for entry in json.loads(content["manifest.json"]):
            chain = tuple(f"sha256:{Path(one).name}" for one in entry["Layers"])
            for end, layer in enumerate(entry["Layers"], start=1):
                assert layer in content or chain[:end] in there, "a layer that nobody has"
            there |= {chain[:end] for end in range(1, len(chain) + 1)}
            (reference,) = entry["RepoTags"]
            self.images[reference] = (f"sha256:{Path(entry['Config']).name}", chain)
        blobs = {one for one in content if one.startswith("blobs/")}
        layers = {digest for _, chain in self.images.values() for digest in chain}
        self.loads.append({f"sha256:{Path(one).name}" for one in blobs} & layers)
        tags = [one["RepoTags"][0] for one in json.loads(content["manifest.json"])]
        return "".join(f"Loaded image: {tag}\n" for tag in tags)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,
        check: bool = True,
    ) -> Completed:
        """Tell of images, or take their names away."""
        if tuple(argv[1:3]) == ("image", "rm"):
            for reference in argv[3:]:
                self.images.pop(reference, None)
            return Completed(tuple(argv), 0, b"", b"")
        lines = [
            json.dumps({"Id": identity, "RepoTags": [name], "Layers": chain})
            for name, (identity, chain) in self.images.items()
            if name in argv
        ]
        return Completed(tuple(argv), 0, "\n".join(lines).encode(), b"")

    def held(self) -> HeldImages:
        """What is there by now."""
        if self.silent:
            self.silent -= 1
            raise HostAway("nas can't be reached", hint="look")
        chains = tuple(chain for _, chain in self.images.values())
        return HeldImages(chains, {name: one for name, (one, _) in self.images.items()})


class Watched:
    """Somebody who watches.

    Attributes:
        count: bytes counted so far.
        total: bytes that were told.
        most: the largest share of it that was shown.
    """

    def __init__(self, total: int) -> None:
        self.count, self.total, self.most = 0, total, 0.0

    def advance(self, amount: int, note: str = "") -> None:
        """Count."""
        self.count += amount
        self.most = max(self.most, self.count / self.total)

    def expect(self, amount: int) -> None:
        """Count up to more."""
        self.total += amount

    def still(self) -> None:
        """Nothing."""

    def done(self) -> None:
        """Nothing."""


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Image, ...]:
    """Two images of four layers, of which each portion has one."""
    monkeypatch.setattr(cut.portions, "__defaults__", (1,))
    base, python, api, worker = (
        real_layer(tmp_path, one, 9000) for one in ("base", "python", "api", "worker")
    )
    return image_of("api", base, python, api), image_of("worker", base, python, worker)


def sent(store: Store, images: Sequence[Image]) -> tuple[list[str], list[float], Watched]:
    """Send: what was warned of, how long was waited, and what was shown."""
    warned: list[str] = []
    waited: list[float] = []
    transfer = plan_transfer(images, store.held())
    watched = Watched(transfer.bytes_to_send)
    wire = Wire(watched, transfer.bytes_to_send)
    sending = Sending(store, "docker", FACTS, None, wire)
    persist(sending, transfer, store.held, warned.append, waited.append)
    assert watched.count == watched.total
    assert watched.most <= 1
    return warned, waited, watched


def whole(store: Store, images: Sequence[Image]) -> bool:
    """Whether these images are there, and nothing else."""
    return {name: identity for name, (identity, _) in store.images.items()} == {
        one.reference: one.config_digest for one in images
    }


def test_portions_arrive_one_by_one_and_leave_nothing(images: tuple[Image, ...]) -> None:
    """Each with a layer; what only held layers is gone at the end."""
    store = Store()
    assert sent(store, images)[:2] == ([], [])
    assert [len(one) for one in store.loads] == [1, 1, 1, 1]
    assert whole(store, images)


@pytest.mark.parametrize("portion", [0, 1, 2, 3])
def test_what_arrived_is_not_sent_again(images: tuple[Image, ...], portion: int) -> None:
    """Wherever the line breaks, the rest goes on from there by itself."""
    store = Store(*[None] * portion, 5000)
    warned, waited, _ = sent(store, images)
    (said,) = warned
    assert said == "nas is gone; going on with the transfer in 1 s"
    assert waited == [1.0]
    assert [len(one) for one in store.loads] == [1, 1, 1, 1]
    assert whole(store, images)


def test_a_host_that_is_away_for_a_while_is_asked_again(images: tuple[Image, ...]) -> None:
    """Until it answers; a break after that is none of the same."""
    store = Store(None, 5000)
    held = store.held
    asked = iter([True, False, False, True])

    def away() -> HeldImages:
        if next(asked):
            return held()
        raise HostAway("nas can't be reached", hint="look")

    store.held = away  # type: ignore[method-assign]
    warned, waited, _ = sent(store, images)
    assert waited == [1.0, 4.0, 15.0]
    assert [one.partition(";")[0] for one in warned] == [
        "nas is gone", "nas can't be reached", "nas can't be reached",
    ]  # fmt: skip
    assert whole(store, images)


def test_a_line_that_breaks_again_and_again_is_given_up(images: tuple[Image, ...]) -> None:
    """Said with the last cause; what arrived is found by the next deploy."""
    store = Store(None, *[5000] * 9)
    with pytest.raises(HostUnreachable, match="broke off 5 times") as caught:
        sent(store, images)
    assert (caught.value.stage, caught.value.details) == ("transfer", ("nas is gone",))
    assert len(store.breaks) == 9 - 1 - len(PAUSES_S)
    assert len(store.loads) == 1
    again = Store()
    again.images = store.images
    sent(again, images)
    assert [len(one) for one in again.loads] == [1, 1, 1]


def test_a_line_that_breaks_now_and_then_is_worth_it(images: tuple[Image, ...]) -> None:
    """As long as a portion has arrived since, patience begins anew."""
    store = Store(None, 5000, None, 5000, None, 5000)
    assert sent(store, images)[1] == [1.0, 1.0, 1.0]
    assert whole(store, images)


def test_a_way_that_is_barred_is_told_at_once(images: tuple[Image, ...]) -> None:
    """Another host key, or a login that is refused, is no broken line; its own words stay."""
    store = Store()
    barred = HostUnreachable("nas can't be reached: its key is another one", hint="compare")

    def stream(*_: object, **__: object) -> Completed:
        raise barred

    store.stream = stream  # type: ignore[method-assign]
    with pytest.raises(HostUnreachable) as caught:
        sent(store, images)
    assert caught.value is barred


class Rest:
    """What sends as a difference, once the line has broken."""

    def __init__(self, store: Store) -> None:
        self._store, self._calls = store, 0

    def load(self, transfer: Transfer, *_: object) -> Loaded | None:
        """Not at first."""
        self._calls += 1
        if self._calls == 1:
            return None
        for one in transfer.images:
            chain = tuple(layer.digest for layer in one.layers)
            self._store.images[one.reference] = (one.config_digest, chain)
        return Loaded(tuple(one.reference for one in transfer.images), ())

    def seed(self, *_: object) -> None:
        """Nothing."""


def test_nothing_is_left_whichever_way_the_rest_went(images: tuple[Image, ...]) -> None:
    """What held layers before the break goes, though portions ended none."""
    store = Store(None, None, 5000)
    transfer = plan_transfer(images, store.held())
    wire = Wire(Watched(transfer.bytes_to_send), transfer.bytes_to_send)
    sending = Sending(store, "docker", FACTS, Rest(store), wire)  # type: ignore[arg-type]
    persist(sending, transfer, store.held, lambda _: None, lambda _: None)
    assert sending.arriving
    assert whole(store, images)


def test_what_had_all_arrived_is_not_sent_again(images: tuple[Image, ...]) -> None:
    """The line may break after the last byte: nothing is streamed then."""
    store = Store()
    sent(store, images)
    count = len(store.loads)
    transfer = plan_transfer(images, store.held())
    assert transfer.images == ()
    Sending(store, "docker", FACTS, None, Wire(Watched(1), 1)).send(transfer)
    assert len(store.loads) == count


def test_a_host_that_stays_away_is_given_up(images: tuple[Image, ...]) -> None:
    """With why it can't be reached."""
    store = Store(5000)
    held = [store.held()]

    def away() -> HeldImages:
        if held:
            return held.pop()
        raise HostAway("nas can't be reached", hint="look")

    store.held = away  # type: ignore[method-assign]
    with pytest.raises(HostUnreachable, match="broke off 5 times") as caught:
        sent(store, images)
    assert caught.value.details == ("nas can't be reached",)


def test_a_line_that_breaks_between_two_questions_is_taken_up(images: tuple[Image, ...]) -> None:
    """A connection that was made anew may not come about: that is a break like any other."""
    store = Store()
    run, asked = store.run, iter([False, True])

    def away(argv: Sequence[str], **more: Any) -> Completed:
        if next(asked, True):
            return run(argv, **more)
        raise HostAway("nas can't be reached", hint="look")

    store.run = away  # type: ignore[method-assign]
    assert sent(store, images)[1] == [1.0]
    assert whole(store, images)


def test_what_is_in_doubt_goes_once_more_and_whole(
    images: tuple[Image, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portions after it are not tried; what is shown is never more than all of it."""
    monkeypatch.setattr(module, "wait_for_docker", lambda *_: None)
    store = Store()
    store.spoilt = 1
    _, _, watched = sent(store, images)
    assert len(store.loads) == 1
    assert whole(store, images)
    assert watched.count > sum(one.bytes for one in images[0].layers)


def test_what_docker_refuses_twice_is_an_error(
    images: tuple[Image, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no matter of the line, so it is not tried again."""
    monkeypatch.setattr(module, "wait_for_docker", lambda *_: None)
    store = Store()
    store.spoilt = 2
    with pytest.raises(HostError, match="did not load"):
        sent(store, images)
    assert store.images == {}
