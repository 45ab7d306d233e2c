"""Which images and layers a host still needs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.images.sample_images import image_of, layer

from slipway.images.transfer import Transfer, plan_transfer, whole
from slipway.images.values import HeldImages, Image

BASE, PYTHON, APP, OTHER = (layer(letter) for letter in "abcd")
API = image_of("api", BASE, PYTHON, APP)
WORKER = image_of("worker", BASE, PYTHON, OTHER)


def chain(*images: Image) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(layer.digest for layer in image.layers) for image in images)


def test_an_empty_host_gets_every_layer_once() -> None:
    """Shared layers are in the stream once."""
    transfer = plan_transfer((API, WORKER), HeldImages())
    assert transfer.images == (API, WORKER)
    assert transfer.layers == (BASE, PYTHON, APP, OTHER)


def test_a_tagged_image_needs_nothing() -> None:
    """Its reference with its config digest or its manifest digest is enough."""
    for identity in (API.config_digest, API.manifest_digest):
        assert plan_transfer((API,), HeldImages((), {API.reference: identity})) == Transfer()


def test_a_reference_to_another_image_is_loaded_again() -> None:
    """A tag that points at something else is put right, without sending held layers."""
    held = HeldImages(chain(API), {API.reference: WORKER.config_digest})
    transfer = plan_transfer((API,), held)
    assert (transfer.images, transfer.layers) == ((API,), ())
    assert 0 < transfer.bytes_to_send < 10_000


def test_a_changed_application_layer_is_all_that_moves() -> None:
    """With the old image there, only the layer that differs is sent."""
    old = image_of("api", BASE, PYTHON, layer("0"))
    assert plan_transfer((API,), HeldImages(chain(old))).layers == (APP,)


def test_a_layer_above_a_missing_one_does_not_count_as_held() -> None:
    """The same layer on another base is no use to a graph driver."""
    elsewhere = image_of("x", layer("0"), PYTHON, APP)
    assert plan_transfer((API,), HeldImages(chain(elsewhere))).layers == (BASE, PYTHON, APP)


def test_a_part_of_a_held_chain_is_held() -> None:
    """An image that is the lower part of one that is there needs no layer."""
    lower = image_of("cli", BASE, PYTHON)
    assert plan_transfer((lower,), HeldImages(chain(API))).layers == ()


def test_whole_sends_everything() -> None:
    """The fallback asks nothing about the host."""
    assert whole((API, WORKER)).layers == (BASE, PYTHON, APP, OTHER)
    assert whole(()) == Transfer()


_stacks = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True)


@given(st.lists(_stacks, min_size=1, max_size=4), st.lists(_stacks, max_size=4))
def test_the_host_can_build_every_image_from_what_it_has_and_gets(
    wanted: list[list[str]], there: list[list[str]]
) -> None:
    """Every layer is in the stream or lies on the same layers on the host; none is there twice."""
    images = [
        image_of(f"r{i}", *(layer(letter) for letter in stack)) for i, stack in enumerate(wanted)
    ]
    held = chain(*(image_of("x", *(layer(letter) for letter in stack)) for stack in there))
    transfer = plan_transfer(images, HeldImages(held))
    sent = [layer.digest for layer in transfer.layers]
    assert len(sent) == len(set(sent))
    needed = set()
    for image in images:
        digests = tuple(layer.digest for layer in image.layers)
        for depth in range(1, len(digests) + 1):
            if not any(chain[:depth] == digests[:depth] for chain in held):
                needed.add(digests[depth - 1])
    assert set(sent) == needed
    assert transfer.bytes_to_send <= whole(images).bytes_to_send
