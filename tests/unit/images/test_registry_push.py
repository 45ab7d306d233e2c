"""What a push sends, in which way, and how it gets over what breaks."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.images.sample_images import image_of, layer, real_layer

from slipway.errors import BuildError, RegistryError
from slipway.images.registry import push
from slipway.images.registry.address import Registry, tag_of
from slipway.images.registry.client import PAUSES_S, Client
from slipway.images.registry.decide import Held, Pushing, blobs, decide
from slipway.images.registry.logins import Login
from slipway.images.registry.push import Pushed, Pusher
from slipway.images.values import Image, Layer, LayerPath
from slipway.secret import Secret
from slipway.testing.registry import FakeRegistry

WHERE = Registry("registry.example:5000", "home")
LAYERS = [layer(letter, 1024 * (1 + number)) for number, letter in enumerate("abcdef")]


@dataclass
class Counted:
    """What was counted, and up to how much was to be."""

    count: int = 0
    more: int = 0

    def advance(self, amount: int, note: str = "") -> None:
        """Count."""
        self.count += amount

    def expect(self, amount: int) -> None:
        """Count up to more."""
        self.more += amount

    def still(self) -> None:
        """Nothing is shown."""

    def done(self) -> None:
        """Nothing is shown."""


@dataclass
class Pushes:
    """Pushes to a registry in memory, and what was said of it.

    Attributes:
        fake: the registry.
        login: who pushes.
        slept: every pause, in seconds.
        warned: every warning.
    """

    fake: FakeRegistry = field(default_factory=FakeRegistry)
    login: Login | None = None
    slept: list[float] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    progress: Counted = field(default_factory=Counted)
    halted: threading.Event = field(default_factory=threading.Event)

    def pusher(self) -> Pusher:
        """What asks it."""
        http = httpx.Client(transport=self.fake)
        client = Client(WHERE, http, self.login, self.slept.append)
        return Pusher(client, self.warned.append, self.halted)

    def push(self, images: Sequence[Image]) -> Pushed:
        """Look, and send what is missing."""
        pusher = self.pusher()
        return pusher.push(images, pusher.look(images), self.progress)

    def fails(self, images: Sequence[Image]) -> RegistryError:
        """The error that a push ends with."""
        with pytest.raises(RegistryError) as caught:
            self.push(images)
        assert "what runs still runs" in caught.value.message
        return caught.value

    def patches(self) -> int:
        """How many requests with bytes there were."""
        return [method for method, _ in self.fake.asked].count("PATCH")


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """An image of one layer of three chunks."""
    return image_of("api", real_layer(tmp_path, "app", 2_500_000))


@pytest.fixture(autouse=True)
def _one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest part first, so that what breaks is known."""
    monkeypatch.setattr(push, "BESIDE", 1)


def whole(image: Image) -> bytes:
    """The bytes of an image's layer."""
    return b"".join(next(blobs(image)).open())


def test_everything_goes_once_and_nothing_twice(tmp_path: Path) -> None:
    """Common parts are mounted; what is there costs no byte; a lost tag is written again."""
    base = real_layer(tmp_path, "base", 3000)
    images = [image_of("api", base), image_of("edge", base, real_layer(tmp_path, "edge"))]
    pushes = Pushes()
    assert pushes.pusher().there(images) == {one.reference: False for one in images}
    done = pushes.push(images)
    assert done.wire == done.done.bytes == pushes.fake.taken == pushes.progress.count
    for one in images:
        held = pushes.fake.blobs[WHERE.repository(one)]
        assert held == {blob.digest: b"".join(blob.open()) for blob in blobs(one)}
        assert pushes.fake.manifests[WHERE.repository(one)] == dict.fromkeys(
            (one.manifest_digest, tag_of(one)), one.manifest
        )
    assert pushes.pusher().there(images) == {one.reference: True for one in images}

    pushes.fake.asked.clear()
    assert pushes.push(images).done == Pushing()
    assert {method for method, _ in pushes.fake.asked} == {"HEAD"}

    del pushes.fake.manifests["home/app/api"][tag_of(images[0])]
    assert pushes.push(images).done == Pushing(named=(images[0],))
    assert tag_of(images[0]) in pushes.fake.manifests["home/app/api"]


def test_where_nothing_is_mounted_it_is_sent(tmp_path: Path) -> None:
    """It goes into the upload that the registry began instead, and counts as more to send."""
    base = real_layer(tmp_path, "base", 3000)
    images = [image_of("api", base), image_of("edge", base)]
    pushes = Pushes(FakeRegistry(mounts=False))
    done = pushes.push(images)
    assert pushes.fake.taken == done.done.bytes + base.bytes == pushes.progress.count
    assert pushes.progress.more == base.bytes
    assert base.digest in pushes.fake.blobs["home/app/edge"]


def test_a_break_goes_on_where_the_registry_is(image: Image) -> None:
    """No byte that it has goes again."""
    pushes = Pushes(FakeRegistry(cuts=[1_500_000, 300_000]))
    pushes.push([image])
    assert pushes.fake.blobs["home/app/api"][image.layers[0].digest] == whole(image)
    assert pushes.fake.taken == image.bytes + len(image.config) == pushes.progress.count
    assert pushes.slept == [PAUSES_S[0], PAUSES_S[0]]
    assert (
        pushes.warned
        == [
            "the registry registry.example:5000/home: the connection broke: Broken pipe; "
            "going on in 1 s"
        ]
        * 2
    )


def test_a_registry_that_forgets_gets_it_anew(image: Image) -> None:
    """From the first byte on."""
    pushes = Pushes(FakeRegistry(resumes=False, cuts=[1_500_000]))
    done = pushes.push([image])
    assert pushes.fake.blobs["home/app/api"][image.layers[0].digest] == whole(image)
    assert pushes.fake.taken == image.bytes + len(image.config) + 1_500_000 <= done.wire
    assert pushes.progress.count == done.done.bytes


def test_breaks_that_gain_nothing_end_it(image: Image) -> None:
    """After as many pauses as there are, each longer."""
    pushes = Pushes(FakeRegistry(resumes=False, cuts=[1_500_000] * 30))
    error = pushes.fails([image])
    assert (error.cause, error.hint) == ("broken", "try again")
    assert tuple(pushes.slept) == PAUSES_S


def test_breaks_that_gain_something_end_too(image: Image) -> None:
    """A registry that takes a little each time is asked a bounded number of times."""
    pushes = Pushes(FakeRegistry(cuts=[10] * 1000))
    pushes.fails([image])
    assert pushes.patches() == 40


@pytest.mark.parametrize("status", [413, 416])
def test_what_refuses_so_much_gets_pieces(
    image: Image, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a break between two of them goes on there."""
    monkeypatch.setattr("slipway.images.registry.upload.PIECE_BYTES", 600_000)
    pushes = Pushes(FakeRegistry(most=600_000, refuses=status, cuts=[None, None, 100]))
    done = pushes.push([image])
    assert pushes.fake.blobs["home/app/api"][image.layers[0].digest] == whole(image)
    assert pushes.fake.taken == done.done.bytes
    assert pushes.patches() == 1 + 1 + 6


def test_what_refuses_pieces_too_is_told(image: Image) -> None:
    """By name, and with the setting that mends it."""
    error = Pushes(FakeRegistry(most=100)).fails([image])
    assert error.cause == "large" and "client_max_body_size" in str(error.hint)


def test_spoilt_bytes_begin_anew(image: Image) -> None:
    """A digest that isn't the right one means sending all again; a bounded number of times."""
    pushes = Pushes(FakeRegistry(spoils=2))
    pushes.push([image])
    assert pushes.fake.blobs["home/app/api"][image.layers[0].digest] == whole(image)
    error = Pushes(FakeRegistry(spoils=1000)).fails([image])
    assert error.cause == "digest" and "other bytes" in error.message


def test_a_lost_answer_is_no_lost_blob(image: Image) -> None:
    """The registry has it, and said so into the void: nothing goes again."""
    pushes = Pushes()
    lose = pushes.fake._closed

    def closed(request: httpx.Request, name: str, session: str) -> httpx.Response:
        pushes.fake._closed = lose  # type: ignore[method-assign]
        lose(request, name, session)
        raise httpx.ReadError("Connection reset by peer")

    pushes.fake._closed = closed  # type: ignore[method-assign]
    done = pushes.push([image])
    assert done.wire == done.done.bytes == pushes.fake.taken
    assert len(pushes.warned) == 1


def test_what_others_brought_meanwhile_counts(image: Image) -> None:
    """Somebody else pushes the same: what is there when ours broke off is not sent on."""
    pushes = Pushes(FakeRegistry(resumes=False, cuts=[1_000_000]))
    layer, bring = image.layers[0], pushes.slept.append

    def asleep(seconds: float) -> None:
        bring(seconds)
        pushes.fake.blobs["home/app/api"] = {layer.digest: whole(image)}

    pusher = pushes.pusher()
    pusher._client.sleep = asleep
    done = pusher.push([image], pusher.look([image]), pushes.progress)
    assert pushes.fake.taken < layer.bytes
    assert pushes.progress.count == done.done.bytes


def test_a_break_between_pieces_goes_on_there(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even with a registry that forgets what breaks off within one: by its newest address."""
    monkeypatch.setattr("slipway.images.registry.upload.PIECE_BYTES", 600_000)
    pushes = Pushes(FakeRegistry(most=600_000, resumes=False, cuts=[None, None, 0]))
    done = pushes.push([image])
    assert pushes.fake.taken == done.done.bytes


def test_a_layer_that_differs_is_never_whole_there(tmp_path: Path) -> None:
    """What the Nix store has is not what the description says: it stops, and nothing is named."""
    good = real_layer(tmp_path, "app", 900_000)
    wrong = Layer(f"sha256:{'0' * 64}", good.bytes, "app", good.paths)
    pushes = Pushes()
    with pytest.raises(BuildError, match="differs from its description"):
        pushes.push([image_of("api", wrong)])
    assert pushes.fake.manifests == {"home/app/api": {}}
    assert wrong.digest not in pushes.fake.blobs.get("home/app/api", {})


def test_one_failure_ends_what_goes_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others' next chunk is not sent; what is told is the cause and not its consequence."""
    monkeypatch.setattr(push, "BESIDE", 3)
    large = real_layer(tmp_path, "large", 9_000_000)
    gone = Layer(f"sha256:{'1' * 64}", 2048, "gone", (LayerPath("/no/such"),))
    pushes = Pushes()

    class Waits(Counted):
        def advance(self, amount: int, note: str = "") -> None:
            """The large one's first chunk goes when the other one has failed."""
            if "large" in note:
                assert pushes.halted.wait(20)

    pushes.progress = Waits()
    with pytest.raises(BuildError, match="/no/such"):
        pushes.push([image_of("api", large, gone)])
    assert pushes.fake.taken < 3_000_000


@pytest.mark.parametrize(
    ("method", "answer", "cause"),
    [
        ("POST", httpx.Response(403, json={"errors": [{"code": "DENIED"}]}), "denied"),
        ("POST", httpx.Response(404, json={"errors": [{"code": "NAME_UNKNOWN"}]}), "not-found"),
        ("POST", httpx.Response(400), "refused-request"),
        ("PATCH", httpx.Response(400), "refused-request"),
        ("PATCH", httpx.Response(507), "full"),
        ("PATCH", httpx.Response(500, text="write: no space left on device"), "full"),
        ("PUT", httpx.Response(403), "denied"),
    ],
)
def test_a_refusal_is_no_break(
    image: Image, method: str, answer: httpx.Response, cause: str
) -> None:
    """It ends the push at once: no pause, no second try, no word of going on."""
    pushes = Pushes(FakeRegistry(answers={method: [answer] * 9}))
    assert pushes.fails([image]).cause == cause
    assert (pushes.slept, pushes.warned) == ([], [])


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_a_server_that_fails_is_asked_again(image: Image, method: str) -> None:
    """After a pause, or after as long as it says."""
    busy = httpx.Response(503, headers={"Retry-After": "7"})
    pushes = Pushes(FakeRegistry(answers={method: [busy]}))
    pushes.push([image])
    assert pushes.slept == [7.0]
    assert pushes.pusher().there([image]) == {image.reference: True}


def test_an_address_where_nobody_is_ends_at_once(image: Image) -> None:
    """Whoever mistyped it does not wait."""
    pushes = Pushes(FakeRegistry(answers={"HEAD": [httpx.ConnectTimeout("")] * 9}))
    error = pushes.fails([image])
    assert error.cause == "silent" and len(pushes.fake.asked) == 1


def test_a_manifest_that_comes_back_otherwise_is_told(image: Image) -> None:
    """It is asked for after it was written: nobody else could pull what we name."""
    pushes = Pushes(FakeRegistry(answers={"GET": [httpx.Response(200, content=b"{}")]}))
    assert pushes.fails([image]).cause == "changed"


def test_logins_are_shown_when_asked_for_and_stay_hidden(image: Image) -> None:
    """A wrong one is refused by where it stands; neither shows in what is said."""
    right = Login("me", Secret("canary-9"), "/home/me/.docker/config.json")
    fake = FakeRegistry(login=("me", "canary-9"))
    Pushes(fake, right).push([image])
    error = Pushes(fake, Login("me", Secret("canary-8"), right.source)).fails([image])
    assert error.cause == "login" and right.source in error.message
    assert error.hint == "docker login registry.example:5000"
    assert "canary" not in f"{error.message} {error.hint} {error.details} {right}"


_held = st.builds(
    Held,
    st.booleans(),
    st.just(False),
    st.frozensets(st.sampled_from([one.digest for one in LAYERS])),
)


@given(
    chosen=st.lists(st.lists(st.sampled_from(LAYERS), min_size=1, unique=True), max_size=4),
    has=st.lists(_held, min_size=4, max_size=4),
)
def test_whatever_is_there_in_the_end_everything_is(
    chosen: list[list[Layer]], has: list[Held]
) -> None:
    """Each part is sent at most once, comes from where it is, and no repository lacks any."""
    images = [image_of(f"r{number}", *layers) for number, layers in enumerate(chosen)]
    held = {image.reference: one for image, one in zip(images, has, strict=False)}
    todo = decide(images, WHERE, held)
    there: dict[str, set[str]] = {}
    for image in images:
        one = held[image.reference]
        parts = {blob.digest for blob in blobs(image)} if one.whole else set(one.parts)
        there[WHERE.repository(image)] = parts
    everywhere = set().union(*there.values())
    for sent in todo.sent:
        assert sent.blob.digest not in everywhere
        everywhere.add(sent.blob.digest)
        there[sent.repository].add(sent.blob.digest)
    for mounted in todo.mounted:
        assert mounted.blob.digest in there[mounted.source]
        assert mounted.blob.digest not in there[mounted.repository]
        there[mounted.repository].add(mounted.blob.digest)
    for image in images:
        assert {blob.digest for blob in blobs(image)} <= there[WHERE.repository(image)]
    sizes = [sent.blob.size for sent in todo.sent]
    assert sizes == sorted(sizes, reverse=True)
    assert todo.bytes == sum(one.blob.size for one in todo.sent)
