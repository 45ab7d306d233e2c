"""A host on which the sample stack stands."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.unit.demo import COMPOSE, wanted

from slipway.hosts.inspect import EngineState
from slipway.images.values import HeldImages
from slipway.ledger.records import Memory, Records
from slipway.ledger.release import Release
from slipway.plan.draft import draft
from slipway.plan.wanted import Seen
from slipway.runner.containers import Container

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NETWORKED = (COMPOSE + "networks: { inner: { internal: true } }\n").replace(
    "secrets: [db_password]", "secrets: [db_password]\n    networks: [inner]"
)
OPENED = NETWORKED.replace("internal: true", "internal: false")


def live(text: str = COMPOSE) -> Release:
    """The sample stack's release."""
    return draft(wanted(text), Seen(), NOW).release


def running(release: Release) -> Seen:
    """A host on which a release is live and runs."""
    containers = tuple(
        Container(
            service, f"id-{service}", service, release.images[role].config_digest, "running",
            config=release.hashes[service],
        )
        for service, role in release.roles.items()
    )  # fmt: skip
    records = Records((release,), release.id)
    held = ("secrets/acl/1", "secrets/db_password/1")
    images = {one.reference: one.config_digest for one in release.images.values()}
    memory = Memory(records, files=(*held, *release.files))
    return Seen(memory, EngineState(HeldImages(references=images), containers))
