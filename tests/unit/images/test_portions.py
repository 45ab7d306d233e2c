"""A large transfer goes in portions, each of which an engine can keep by itself."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.images.sample_images import image_of, layer

from slipway.images.portions import ARRIVING, partial, portions
from slipway.images.transfer import plan_transfer
from slipway.images.values import HeldImages, Image

LAYERS = [layer(letter, 1000 * (1 + number % 5)) for number, letter in enumerate("abcdef0123")]
BASE, PYTHON, APP, OTHER = LAYERS[:4]


def test_a_small_transfer_is_itself() -> None:
    """Nothing is cut, and nothing is made for it."""
    transfer = plan_transfer((image_of("api", BASE, PYTHON),), HeldImages())
    assert portions(transfer, 10_000) == (transfer,)


def test_a_cut_in_the_middle_of_an_image_leaves_one_that_holds_its_layers() -> None:
    """Under a name of its own; the last portion brings the real one."""
    api = image_of("api", BASE, PYTHON, APP)
    first, second, third = portions(plan_transfer((api,), HeldImages()), 2000)
    assert [one.layers for one in (first, second, third)] == [(BASE,), (PYTHON,), (APP,)]
    (held,) = partial(first.images)
    assert held.reference.startswith(f"app/{ARRIVING}:")
    assert held.layers == (BASE,)
    assert json.loads(held.config)["architecture"] == "amd64"
    assert second.images[0].layers == (BASE, PYTHON)
    assert third.images == (api,)
    assert partial(third.images) == ()


def test_an_image_that_is_whole_at_a_cut_goes_with_what_it_is_made_of() -> None:
    """The one after it begins with what is there by then."""
    api, worker = image_of("api", BASE, PYTHON), image_of("worker", BASE, OTHER)
    first, second = portions(plan_transfer((api, worker), HeldImages()), 3000)
    assert (first.images, first.layers) == ((api,), (BASE, PYTHON))
    assert (second.images, second.layers) == ((worker,), (OTHER,))


images = st.lists(
    st.lists(st.sampled_from(LAYERS), min_size=1, max_size=6, unique=True), min_size=1, max_size=5
)


@given(images, st.integers(500, 12_000), st.integers(0, 3))
def test_whatever_breaks_off_what_arrived_is_not_sent_again(
    stacks: list[list[object]], most: int, broken: int
) -> None:
    """Each portion can be loaded on what those before it left; after any of them the plan for the
    rest has no layer that was sent; and at the end every image is there."""
    wanted = [image_of(f"role{number}", *stack) for number, stack in enumerate(stacks)]  # type: ignore[arg-type]
    transfer = plan_transfer(wanted, HeldImages())
    chains: set[tuple[str, ...]] = set()
    references: dict[str, str] = {}
    sent: list[str] = []
    for count, one in enumerate(portions(transfer, most)):
        there = {chain[:end] for chain in chains for end in range(1, len(chain) + 1)}
        inside = {layer.digest for layer in one.layers}
        for image in one.images:
            assert loads(image, inside, there)
            chain = tuple(layer.digest for layer in image.layers)
            there |= {chain[:end] for end in range(1, len(chain) + 1)}
            chains.add(chain)
            references[image.reference] = image.config_digest
        sent += [layer.digest for layer in one.layers]
        if count == broken:
            rest = plan_transfer(wanted, HeldImages(tuple(chains), references))
            again = {layer.digest for layer in rest.layers} & set(sent)
            assert not {digest for digest in again if below(digest, wanted, chains)}
    assert set(sent) == {layer.digest for layer in transfer.layers}
    assert {image.reference for image in wanted} <= set(references)


def loads(image: Image, inside: set[str], there: set[tuple[str, ...]]) -> bool:
    """Whether an engine finds each layer: in the archive, or by the whole chain below it."""
    chain = tuple(layer.digest for layer in image.layers)
    return all(chain[end - 1] in inside or chain[:end] in there for end in range(1, len(chain) + 1))


def below(digest: str, wanted: list[Image], chains: set[tuple[str, ...]]) -> bool:
    """Whether a layer is there in every chain in which somebody wants it."""
    lower = {chain[:end] for chain in chains for end in range(1, len(chain) + 1)}
    return all(
        tuple(one.digest for one in image.layers[: place + 1]) in lower
        for image in wanted
        for place, layer in enumerate(image.layers)
        if layer.digest == digest
    )
