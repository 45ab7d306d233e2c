"""A whole host in memory: files, releases, a lease, and a Docker that obeys Compose files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from slipway.doors import Answer, Completed
from slipway.errors import CommandFailed
from slipway.hosts.container import Container
from slipway.hosts.engine import Doors, EngineFacts
from slipway.images.transfer import Transfer
from slipway.images.values import HeldImages, Image, Layer
from slipway.plan.draft import Job
from slipway.report import Progress, Report
from slipway.stack.model import own_variables
from slipway.stack.read import read_stack
from slipway.stack.render import CONFIG_LABEL, host_file
from slipway.testing import FakeClock, FakeHost, FakeHttp, FakeShell

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
    ports: ["8080:80"]
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


def job(
    compose: str = COMPOSE,
    *,
    web: str = "1",
    db: str = "1",
    edge: bytes = b"listen 80\n",
    **variables: str,
) -> Job:
    """A job that deploys :data:`COMPOSE` with images of the given contents."""
    images = (image("web", web), image("db", db))
    references = {one.role: one.reference for one in images}
    own = own_variables("demo", references, app_dir=APP)
    stack = read_stack([("docker-compose.yml", compose)], {**variables, **own})
    return Job(
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
class FakeEngine:
    """Docker and Compose in memory; containers follow the files of ``host``."""

    host: FakeHost
    held: dict[str, Image] = field(default_factory=dict)
    running: list[Container] = field(default_factory=list)
    commands: list[tuple[str, ...]] = field(default_factory=list)
    pending: list[dict[str, str]] = field(default_factory=list)
    sick: set[str] = field(default_factory=set)
    broken_up: Callable[[], Exception | None] = field(default=lambda: None)
    migrate_code: int = 0
    in_use: tuple[str, ...] = ()
    loads: list[Transfer] = field(default_factory=list)
    made: int = 0

    def facts(self) -> EngineFacts:
        """A recent Docker."""
        return EngineFacts("26.1.5", "2.26.1", "/var/lib/docker")

    def images(self) -> HeldImages:
        """What was loaded."""
        chains = tuple(tuple(layer.digest for layer in one.layers) for one in self.held.values())
        return HeldImages(chains, {ref: one.config_digest for ref, one in self.held.items()})

    def containers(self) -> tuple[Container, ...]:
        """Those there are."""
        return tuple(self.running)

    def load(self, transfer: Transfer, progress: Progress) -> int:
        """Hold the images from now on."""
        self.loads.append(transfer)
        self.held |= {one.reference: one for one in transfer.images}
        progress.advance(transfer.bytes_to_send)
        return transfer.bytes_to_send

    def compose_argv(self, file: str, arguments: Sequence[str]) -> tuple[str, ...]:
        """The command line."""
        return ("docker", "compose", "-f", file, *arguments)

    def compose(
        self, file: str, arguments: Sequence[str], *, timeout: float, check: bool = True
    ) -> Completed:
        """Obey ``up``, ``down`` and ``run``."""
        self.commands.append(tuple(arguments))
        document = json.loads(self.host.files[file])
        if arguments[0] == "up":
            self._up(document, arguments)
        elif arguments[0] == "down":
            self.running.clear()
        elif arguments[0] == "run" and "--plan" in arguments:
            return Completed((), 0, json.dumps(self.pending).encode(), b"")
        elif arguments[0] == "run":
            return Completed((), self.migrate_code, b"", b"no such table\n")
        return Completed((), 0, b"", b"")

    def _up(
        self, document: dict[str, dict[str, dict[str, object]]], arguments: Sequence[str]
    ) -> None:
        failure = self.broken_up()
        if failure is not None:
            raise failure
        named = [name for name in arguments[1:] if name in document["services"]]
        for name, body in document["services"].items():
            if (named and name not in named) or body.get("profiles"):
                continue
            wanted = self.held[str(body["image"])].config_digest
            labels = body["labels"]
            assert isinstance(labels, dict)
            config = labels[CONFIG_LABEL]
            old = [one for one in self.running if one.service == name]
            same = bool(old) and (old[0].image_id, old[0].config) == (wanted, config)
            if same and "--force-recreate" not in arguments:
                continue
            self.made += 1
            health = (
                ("healthy" if wanted not in self.sick else "unhealthy") if name == "web" else ""
            )
            ports = (8080,) if name == "web" else ()
            new = Container(
                name, f"c{self.made}", name, wanted, "running", health, config=config, ports=ports
            )
            self.running = [one for one in self.running if one.service != name] + [new]
        if "--remove-orphans" in arguments:
            self.running = [c for c in self.running if c.service in document["services"]]

    def last_lines(self, container: str, count: int) -> tuple[str, ...]:
        """One line."""
        return (f"the last words of {container}",)

    def remove_images(self, references: Sequence[str]) -> tuple[str, ...]:
        """Forget them, unless they are in use."""
        for reference in references:
            if reference not in self.in_use:
                self.held.pop(reference, None)
        return tuple(reference for reference in references if reference in self.in_use)

    def crash(self, service: str, **changes: object) -> None:
        """Change a container behind everybody's back."""
        self.running = [
            replace(one, **changes) if one.service == service else one  # type: ignore[arg-type]
            for one in self.running
        ]


@dataclass
class World:
    """A host, its Docker, and the doors to both."""

    host: FakeHost
    engine: FakeEngine
    http: FakeHttp
    clock: FakeClock
    shell: FakeShell
    talk: io.StringIO
    doors: Doors
    lease_held_by: str = ""
    current: str = ""
    ports: tuple[int, ...] = ()


def world() -> World:
    """A fresh host."""
    host, clock, shell, talk = FakeHost(name="nas"), FakeClock(), FakeShell(), io.StringIO()
    engine = FakeEngine(host)
    http = FakeHttp({f"{URL}/health": [Answer(200, b"{}")]})
    report = Report(err=talk, out=io.StringIO())
    doors = Doors(host, engine, shell, http, clock, report, Path("/checkout"))
    made = World(host, engine, http, clock, shell, talk, doors)
    shell.on("smoke", URL)
    host.on("sh", "-c", reply=lambda argv, data: _script(made, argv, data))
    return made


def _script(made: World, argv: tuple[str, ...], data: bytes) -> bytes | int | Completed:
    """What the release package's own shell scripts do, by the names they are run under."""
    files, name, arguments = made.host.files, argv[3], argv[4:]
    if name == "lease":
        return _lease(made, arguments, data)
    if name == "read":
        return _records(made)
    if name == "switch":
        made.current = arguments[1]
    if name == "journal":
        files[arguments[0]] = files.get(arguments[0], b"") + data
    if name == "preflight":
        lines = ["arch=x86_64", "app_free_kb=9000000", "docker_free_kb=9000000", "writable=yes"]
        lines += [f"listen={port:04X}" for port in made.ports]
        return "\n".join(lines).encode()
    if name == "list":
        base = arguments[0] + "/"
        under = [path.removeprefix(base) for path in files if path.startswith(base)]
        if base.endswith("/secrets/"):
            return "\n".join(under).encode()
        return "\n".join(p for p in under if p.startswith(("files/", "secrets/"))).encode()
    if name == "remove":
        for path in arguments[1:]:
            for gone in [f for f in files if (f + "/").startswith(f"{arguments[0]}/{path}/")]:
                del files[gone]
    return b""


def _lease(made: World, arguments: tuple[str, ...], data: bytes) -> int | Completed:
    path, lasts, token = arguments
    if lasts == "0":
        made.host.files.pop(path, None)
        return 0
    if not data:
        return 0 if made.host.files.get(path, b"").startswith(token.encode()) else 42
    if made.lease_held_by:
        said = f'100\n{{"who": "{made.lease_held_by}", "what": "deploy x", "since": "t"}}'
        return Completed((), 40, said.encode(), b"")
    made.host.files[path] = token.encode()
    return 0


def _records(made: World) -> bytes:
    text = (f"releases/{made.current}" if made.current else "").encode() + b"\n"
    for path, content in made.host.files.items():
        if path.endswith("/release.json"):
            text += path.removeprefix(f"{APP}/").encode() + b"\x1e" + content + b"\x1e"
    return text


def failed(message: str = "boom") -> CommandFailed:
    """How a command that failed looks."""
    return CommandFailed(("docker", "compose", "up"), 1, message, where="nas")
