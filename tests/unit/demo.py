"""A whole host in memory: files, releases, a lease, and a Docker that obeys Compose files."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from tests.composing import stack as read_stack

from slipway.act.doors import Doors
from slipway.doors import Answer
from slipway.errors import CommandFailed
from slipway.hosts.counting import CountingHost
from slipway.images.values import Image, Layer
from slipway.plan.wanted import Wanted
from slipway.report import Report
from slipway.stack.model import own_variables
from slipway.stack.render import host_file
from slipway.testing import (
    FakeClock,
    FakeEngine,
    FakeFolder,
    FakeHost,
    FakeHttp,
    FakeRunner,
    FakeShell,
)

APP = "/pool/demo"
URL = "http://host:8080"

COMPOSE = """
x-slipway:
  application: demo
  url: "http://{address}:8080"
  secrets:
    db_password: { generate: 16 }
    acl: { derive: redis-acl, from: db_password }
  data: { db: { mode: "0700" } }
  migrate: { service: job, command: [migrate], plan: [migrate, --plan] }
  verify: { path: /health }
  smoke: { command: [smoke, "{url}"], secrets: { TOKEN_FILE: db_password } }
services:
  web:
    x-slipway: { role: web }
    image: "${WEB_IMAGE:?}"
    ports: [{ target: 80, published: "8080", protocol: tcp }]
    depends_on: [db]
    configs: [edge]
    environment: { GREETING: "${GREETING:-hello}" }
    healthcheck: { test: [CMD, check], interval: 2s, timeout: 1s, retries: 2 }
  db:
    x-slipway: { role: db }
    image: "${DB_IMAGE:?}"
    stop_grace_period: 20s
    secrets: [db_password]
  job:
    x-slipway: { role: web }
    image: "${WEB_IMAGE:?}"
    profiles: [job]
    depends_on: [db]
configs: { edge: { file: ./edge.cfg } }
secrets:
  db_password: { file: "${DEMO_SECRETS:?}/db_password" }
  acl: { file: "${DEMO_SECRETS:?}/acl" }
"""


def image(role: str, content: str = "1") -> Image:
    """An image of one layer of its own upon one that all share."""
    layers = (
        Layer("sha256:base", 1000, "base", ()),
        Layer(f"sha256:{role}{content}", 50, role, ()),
    )
    digest = f"sha256:config-{role}-{content}"
    manifest = f"sha256:manifest-{role}-{content}"
    return Image(role, f"demo/{role}:{content}", b"{}", digest, b"{}", manifest, layers)


def wanted(
    compose: str = COMPOSE,
    *,
    web: str = "1",
    db: str = "1",
    edge: bytes = b"listen 80\n",
    **variables: str,
) -> Wanted:
    """What deploys :data:`COMPOSE` with images of the given contents."""
    images = (image("web", web), image("db", db))
    references = {one.role: one.reference for one in images}
    own = own_variables("demo", references, app_dir=APP)
    stack = read_stack([("docker-compose.yml", compose)], {**variables, **own})
    stack = stack.with_images(references)
    return Wanted(
        stack=stack,
        images=images,
        files={"edge": host_file("./edge.cfg", edge)},
        contents={"edge": edge},
        supplied={},
        app_dir=APP,
        data_dir=f"{APP}/data",
        url=URL,
        who="me@here",
    )


@dataclass
class World:
    """A host, its Docker, and the doors to both."""

    host: FakeHost
    folder: FakeFolder
    engine: FakeEngine
    runner: FakeRunner
    http: FakeHttp
    clock: FakeClock
    shell: FakeShell
    talk: io.StringIO
    doors: Doors


def world() -> World:
    """A fresh host."""
    host, clock, shell, talk = FakeHost(name="nas"), FakeClock(), FakeShell(), io.StringIO()
    folder = FakeFolder(APP)
    engine = FakeEngine(folder, clock)
    http = FakeHttp({f"{URL}/health": [Answer(200, b"{}")]})
    report = Report(err=talk, out=io.StringIO())
    runner = FakeRunner(engine, folder, clock)
    doors = Doors(
        CountingHost(host), engine, folder, runner, shell, http, clock, report, Path("/checkout")
    )
    shell.on("smoke", URL)
    return World(host, folder, engine, runner, http, clock, shell, talk, doors)


def failed(message: str = "boom") -> CommandFailed:
    """How a command that failed looks."""
    return CommandFailed(("docker", "compose", "up"), 1, message, where="nas")
