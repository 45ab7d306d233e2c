"""A stack with a service of every kind, and hosts on which it was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.unit.demo import APP, wanted

from slipway.hosts.inspect import EngineState
from slipway.images.values import HeldImages
from slipway.ledger.records import Memory, Records
from slipway.ledger.release import Release
from slipway.ledger.scale import Scale
from slipway.plan.draft import Draft, draft
from slipway.plan.recorded import recorded
from slipway.plan.wanted import Seen
from slipway.runner.containers import Container
from slipway.runner.roll import Rolling

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UP = ("up", "--detach", "--no-build", "--pull", "never")
GONE = ("rm", "--stop", "--force")

# The edge and the worker are rolled beside, the api by the edge and in two containers; the others
# are stopped first. The db is used by the api, the worker and the beat; the cache is no role's.
FULL = """
x-slipway:
  application: demo
  url: "http://{address}:8080"
  secrets: { db_password: { generate: 16 } }
  edge: { service: edge, socket: /run/admin.sock }
  migrate:
    service: job
    command: [migrate]
    plan: [migrate, --plan]
    dump: { service: db, command: [dump, now] }
    restore: { service: db, command: [restore, now] }
  verify: { path: /health }
services:
  edge:
    x-slipway: { role: web, roll: beside }
    image: "${WEB_IMAGE:?}"
    configs: [edge]
    environment: { EDGE: "${EDGE:-}" }
  api:
    x-slipway: { role: web, roll: true }
    image: "${WEB_IMAGE:?}"
    depends_on: [db]
    deploy: { replicas: 2 }
    environment: { API: "${API:-}" }
    stop_grace_period: 30s
    healthcheck: { test: [CMD, check, api], interval: 2s, timeout: 1s, retries: 2 }
  worker:
    x-slipway: { role: web, roll: beside }
    image: "${WEB_IMAGE:?}"
    depends_on: [db]
    environment: { WORKER: "${WORKER:-}" }
    healthcheck: { test: "check worker", interval: 2s, timeout: 1s, retries: 2 }
  beat:
    x-slipway: { role: web }
    image: "${WEB_IMAGE:?}"
    depends_on: [db]
    environment: { BEAT: "${BEAT:-}" }
    stop_grace_period: 2m
  cache:
    image: "cache:1"
    environment: { CACHE: "${CACHE:-}" }
  db:
    x-slipway: { role: db }
    image: "${DB_IMAGE:?}"
    environment: { DB: "${DB:-}" }
    secrets: [db_password]
  job:
    x-slipway: { role: web }
    image: "${WEB_IMAGE:?}"
    profiles: [job]
    depends_on: [db]
configs: { edge: { file: ./edge.cfg } }
secrets: { db_password: { file: "${DEMO_SECRETS:?}/db_password" } }
"""


def released(text: str = FULL, **changes: Any) -> Release:
    """The stack's release."""
    return draft(wanted(text, **changes), Seen(), NOW).release


def containers(release: Release, scale: Scale | None = None) -> tuple[Container, ...]:
    """Those a release stands as, all well."""
    counts = {one.service: one.containers for one in release.expected} | dict(scale or {})
    ids = {
        name: release.images[release.roles[name]].config_digest if name in release.roles else "c"
        for name in release.hashes
    }
    return tuple(
        Container(name, f"{name}-{number}", name, ids[name], "running", config=release.hashes[name])
        for name in release.hashes
        for number in range(1, counts[name] + 1)
    )


def seen(*releases: Release, scale: Scale | None = None) -> Seen:
    """A host that has all of these releases; the first one is live and runs."""
    live = releases[0]
    files = {path for one in releases for path in one.files}
    held = {one.reference: one.config_digest for r in releases for one in r.images.values()}
    memory = Memory(
        Records(releases, live.id), files=(*files, "secrets/db_password/1"), scale=scale or {}
    )
    there = containers(live, scale)
    return Seen(memory, EngineState(HeldImages(references=held), there))


def with_containers(before: Seen, *there: Container) -> Seen:
    """The same host with other containers."""
    return replace(before, engine=replace(before.engine, containers=there))


def ill(before: Seen, *ids: str) -> Seen:
    """The same host, where some containers are not well."""
    return with_containers(
        before,
        *(
            replace(one, health="unhealthy") if one.id in ids else one
            for one in before.engine.containers
        ),
    )


def planned(before: Seen, text: str = FULL, **changes: Any) -> Draft:
    """A deploy of the stack there."""
    return draft(wanted(text, **changes), before, NOW)


def compose(text: str = FULL, **changes: Any) -> bytes:
    """The stack's Compose file, as it lies on a host."""
    return planned(Seen(), text, **changes).rendered.text


def kept(before: Seen, text: str = FULL, **changes: Any) -> Draft:
    """The live release there once more, from what the host has of it."""
    live = before.memory.records.live
    assert live is not None
    return recorded(live, compose(text, **changes), before, app_dir=APP, who="you@there")


def rolling(release: Release) -> dict[str, Rolling]:
    """What a release's services roll as."""
    return {one.service: one for one in release.rolling}
