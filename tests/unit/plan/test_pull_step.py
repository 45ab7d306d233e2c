"""Where a registry is named, the host gets from there what it lacks, and nothing is sent to it."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.demo import wanted, world
from tests.unit.plan.stood import NOW

from slipway.act.deploy import observe
from slipway.images.registry.address import Registry
from slipway.plan.draft import Draft, draft
from slipway.plan.needs import needs
from slipway.plan.pulling import Pull, PulledImage, Pulling
from slipway.plan.step import asked
from slipway.plan.steps import steps
from slipway.plan.wanted import Seen

LAN = Registry("lan:5000", "home")


def planned(seen: Seen, registry: Registry | None = LAN, web: str = "1") -> Draft:
    """A deploy by a registry."""
    return draft(replace(wanted(web=web), registry=registry), seen, NOW)


def pulls(made: Draft) -> list[Pull]:
    """The actions that pull."""
    return [one for step in steps(made) for one in step.do if isinstance(one, Pull)]


def test_each_lacking_image_is_pulled_by_its_digest() -> None:
    """By digest, under the name it has anyway, by the host itself, before anything changes."""
    made = planned(Seen())
    (pull,) = pulls(made)
    assert pull.images == tuple(
        PulledImage(one.reference, f"lan:5000/home/{one.reference.split(':')[0]}"
                    f"@{one.manifest_digest}")
        for one in made.wanted.images
    )  # fmt: skip
    layers = {one.digest: one.bytes for image in made.wanted.images for one in image.layers}
    assert pull.bytes == sum(layers.values()) > 0
    mine, theirs = asked(steps(made))
    assert [one.name for one in mine] == ["secrets", "files"]
    assert theirs[0].name == "pull" and not theirs[0].undo and theirs[0].belief is None
    assert made.plan.pull == Pulling("lan:5000/home", len(pull.images), pull.bytes)
    assert made.plan.bytes_to_send == 0 and not made.plan.empty


def test_only_the_changed_image_is_pulled() -> None:
    """What the host has, it does not ask for."""
    made = world()
    made.engine.held = {one.reference: one for one in wanted().images}
    seen = observe(made.doors, wanted())
    assert pulls(planned(seen)) == []
    assert planned(seen).plan.pull is None
    (pull,) = pulls(planned(seen, web="2"))
    assert [one.reference for one in pull.images] == [wanted(web="2").images[0].reference]


def test_without_a_registry_nothing_is_pulled() -> None:
    """Layers are sent then, as ever."""
    made = planned(Seen(), None)
    assert pulls(made) == [] and made.plan.pull is None
    assert steps(made)[0].name == "transfer" and made.plan.bytes_to_send


def test_what_is_pulled_needs_room_as_what_is_sent() -> None:
    """The host's disk is looked at by the same measure."""
    made = planned(Seen())
    assert made.plan.pull is not None
    assert needs(made).bytes_to_send == made.plan.pull.bytes
