"""How often a host is asked in a deploy: by our real scripts, on this machine."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.composing import stack as read_stack
from tests.integration.act import docker_program
from tests.unit.demo import COMPOSE, URL, wanted
from tests.unit.images.sample_images import real_layer

from slipway.act.deploy import deploy
from slipway.act.doors import Doors
from slipway.act.outcome import Outcome
from slipway.act.runner import HostRunner
from slipway.doors import Answer, SystemClock
from slipway.errors import DeployError
from slipway.hosts.counting import CountingHost
from slipway.hosts.delta import Delta
from slipway.hosts.docker import DockerEngine
from slipway.hosts.local import LocalHost
from slipway.hosts.shelf import Shelf
from slipway.images.description import image
from slipway.images.values import Image, Layer
from slipway.ledger.folder import HostFolder
from slipway.ledger.release import Release
from slipway.plan.wanted import Wanted
from slipway.report import Report
from slipway.stack.model import own_variables
from slipway.testing import FakeHttp, FakeShell

UNCHANGED, CHANGED, MIGRATED, FIRST = 3, 20, 20, 25
# Files may be given away by root only; this user's are as good for counting.
TEXT = (
    COMPOSE.replace("{ generate: 16 }", f"{{ generate: 16, owner: {os.getuid()} }}")
    .replace("from: db_password }", f"from: db_password, owner: {os.getuid()} }}")
    .replace('{ mode: "0700" }', f'{{ mode: "0700", owner: {os.getuid()} }}')
    .replace('[{ target: 80, published: "8080", protocol: tcp }]', "[]")
    .replace("stop_grace_period: 20s", "healthcheck: { test: [CMD, check], interval: 2s }")
    .replace("  verify: {", "  soak: { seconds: 0 }\n  verify: {")
)


class Site:
    """A host that is this machine, with a docker of its own, and deploys to it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.app = folder, folder / "pool/demo"
        self.docker = folder / "docker"
        program = Path(docker_program.__file__).read_text()
        self.docker.write_text(f"#!{sys.executable}\n{program}")
        self.docker.chmod(0o755)
        self.http = FakeHttp({f"{URL}/health": [Answer(200, b"{}")]})
        self.base, self.layers = real_layer(folder, "base"), dict[str, Layer]()
        self.asked: list[str] = []

    def image(self, role: str, content: str) -> Image:
        """An image of a layer of its own upon one that all share."""
        title = f"{role}{content}"
        if title not in self.layers:
            self.layers[title] = real_layer(self.folder, title)
        layers = (self.base, self.layers[title])
        return image("demo", role, "amd64", {"Cmd": [role]}, layers)

    def wanted(self, web: str, migrations: str) -> Wanted:
        """The sample stack with real images."""
        images = (self.image("web", web), self.image("db", "1"))
        references = {one.role: one.reference for one in images}
        own = own_variables("demo", references, app_dir=str(self.app))
        stack = read_stack([("docker-compose.yml", TEXT)], own).with_images(references)
        return replace(
            wanted(),
            stack=stack,
            images=images,
            app_dir=str(self.app),
            data_dir=f"{self.app}/data",
            migrations=migrations,
        )

    def deploy(self, web: str, migrations: str = "same") -> tuple[Outcome, Release]:
        """Deploy over a connection of its own."""
        host, shell = CountingHost(LocalHost("here")), FakeShell()
        shell.on("smoke", URL)
        docker, report = str(self.docker), Report(err=io.StringIO(), out=io.StringIO())
        shelf = Shelf(self.folder / "shelf")
        delta = Delta(host, f"{self.app}/cache", shelf, pytest.fail, docker=docker)
        engine = DockerEngine(host, "demo", docker, delta=lambda: delta)
        folder = HostFolder(host, str(self.app))
        doors = Doors(
            host, engine, folder, HostRunner(host, str(self.app), "demo", docker), shell,
            self.http, SystemClock(), report, self.folder, docker,
        )  # fmt: skip
        try:
            result = deploy(self.wanted(web, migrations), doors, "token")
        finally:
            self.asked = host.asked
        assert result.outcome.round_trips == host.total
        return result.outcome, result.release

    @property
    def steady(self) -> list[str]:
        """What the last deploy asked, without asking what happens: that depends on the time."""
        return [one for one in self.asked if not one.endswith(" follow")]

    @property
    def state(self) -> dict[str, Any]:
        """What the docker holds."""
        found: dict[str, Any] = json.loads((self.folder / "docker-state.json").read_text())
        return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A host on which nothing was deployed."""
    return Site(tmp_path)


def test_a_host_is_asked_seldom(site: Site) -> None:
    """At most three times when nothing changed, and twenty for a changed line."""
    outcome, _ = site.deploy("1")
    assert outcome.outcome == "deployed"
    assert len(site.steady) <= FIRST, site.asked
    outcome, release = site.deploy("1")
    assert outcome.outcome == "unchanged"
    assert outcome.round_trips <= UNCHANGED, site.asked
    outcome, after = site.deploy("2")
    assert (outcome.outcome, outcome.containers_touched) == ("deployed", 1)
    assert len(site.steady) <= CHANGED, site.asked
    assert after.previous == release.id
    outcome, after = site.deploy("3", "other")
    assert "migrate" in [step.name for step in outcome.steps]
    assert len(site.steady) <= MIGRATED, site.asked


def test_a_whole_deploy_by_the_real_scripts(site: Site) -> None:
    """What the host holds afterwards is what was recorded; old releases are pruned in the end."""
    made = [site.deploy(str(number))[1] for number in range(1, 6)]
    live = made[-1]
    running = {one["Service"]: (one["Image"], one["Config"]) for one in site.state["containers"]}
    assert running == {
        service: (live.images[role].config_digest, live.hashes[service])
        for service, role in live.roles.items()
    }
    assert (site.app / "current").readlink() == Path(f"releases/{live.id}")
    kept = {path.name for path in (site.app / "releases").iterdir()}
    assert kept == {one.id for one in made[2:]}
    tags = {reference for one in made[2:] for reference in
            (image.reference for image in one.images.values())}  # fmt: skip
    assert set(site.state["images"]) == tags
    assert "who" not in json.loads((site.app / "lease").read_text())
    assert (site.app / "data/db").stat().st_mode & 0o777 == 0o700


def test_going_back_by_the_real_scripts(site: Site) -> None:
    """The release before runs again, the link leads to it, the journal tells why."""
    _, before = site.deploy("1")
    site.http.answers[f"{URL}/health"] = [Answer(200, b"")]
    asked = site.http.get

    def get(url: str, *, timeout: float) -> Answer:
        asked(url, timeout=timeout)
        return Answer(0, b"refused")

    site.http.get = get  # type: ignore[method-assign]
    clock = SystemClock.monotonic
    ticks = iter(range(0, 10**6, 25))
    SystemClock.monotonic = lambda self: float(next(ticks))  # type: ignore[method-assign]
    try:
        with pytest.raises(DeployError, match=f"{before.id} is serving again"):
            site.deploy("2")
    finally:
        SystemClock.monotonic = clock  # type: ignore[method-assign]
    assert (site.app / "current").readlink() == Path(f"releases/{before.id}")
    images = {one["Service"]: one["Image"] for one in site.state["containers"]}
    assert images["web"] == before.images["web"].config_digest
    last = json.loads((site.app / "journal.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["outcome"]) == ("outcome", "undone")
    assert "gave no answer" in last["cause"]
