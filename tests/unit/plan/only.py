"""The sample stack where only TrueNAS can be asked, and a host on which it stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.composing import stack as read_stack
from tests.unit.demo import APP, COMPOSE, image, wanted

from slipway.hosts.inspect import EngineState
from slipway.images.registry.address import Registry
from slipway.images.values import HeldImages, Image
from slipway.ledger.records import Memory, Records
from slipway.ledger.release import Release
from slipway.plan.credited import credited
from slipway.plan.draft import Draft, draft
from slipway.plan.registering import LIVE
from slipway.plan.wanted import Seen, Wanted
from slipway.runner.containers import Container
from slipway.stack.apponly import app_only
from slipway.stack.model import own_variables

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REGISTRY = Registry("registry.lan:5000", "home")
INCLUDED = f"{APP}/app.json"


def pinned(role: str, content: str = "1") -> Image:
    """An image by its name in the registry."""
    made = image(role, content)
    return replace(made, reference=REGISTRY.pinned(made))


def only(compose: str = COMPOSE, *, web: str = "1", db: str = "1", edge: bytes = b"x") -> Wanted:
    """What deploys the sample stack in mode ``app-only``."""
    images = (pinned("web", web), pinned("db", db))
    references = {one.role: one.reference for one in images}
    stack = read_stack([("docker-compose.yml", compose)],
                       own_variables("demo", references, app_dir=APP))  # fmt: skip
    plain = wanted(compose, edge=edge)
    return replace(
        plain, stack=app_only(stack).with_images(references), images=images, registry=REGISTRY
    )


def standing(release: Release, **states: str) -> tuple[Container, ...]:
    """The app's containers as TrueNAS tells of them: no labels, images by reference."""
    return tuple(
        Container(
            service, f"id-{service}", service,
            release.images[role].reference if (role := release.roles.get(service)) else "",
            states.get(service, "exited" if service == "migration" else "running"),
        )
        for service in release.hashes
    )  # fmt: skip


def seen(release: Release, *more: Release, included: str = LIVE, **states: str) -> Seen:
    """A host on which a release is live and runs."""
    files = {f"secrets/{name}/{number}" for one in (release, *more)
             for name, number in one.secrets.items()}  # fmt: skip
    files |= {path for one in (release, *more) for path in one.files}
    memory = Memory(
        Records((release, *more), release.id), files=tuple(sorted(files)), included=included
    )
    images = {
        image.reference: image.config_digest
        for one in (release, *more)
        for image in one.images.values()
    }
    engine = EngineState(HeldImages(references=images), standing(release, **states), app=INCLUDED)
    return Seen(memory, credited(memory, engine))


def planned(new: Wanted, before: Seen) -> Draft:
    """The draft of a deploy."""
    return draft(new, before, NOW)


def released(**changes: str) -> Release:
    """The release of a first deploy."""
    return planned(only(**changes), Seen()).release  # type: ignore[arg-type]
