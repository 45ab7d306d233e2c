"""Which registry a host gets images from, whether that has them, and by which login."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import httpx
import pytest
from tests.unit.images.sample_images import image_of, layer

from slipway.app.present import plan_text
from slipway.app.pulling import origin_of, pick_origin
from slipway.errors import ConfigError, RegistryError
from slipway.hosts.config import HostEntry, parse_hosts
from slipway.images.registry import open as opening
from slipway.images.registry.address import Registry
from slipway.images.values import Image
from slipway.plan.pulling import Pulling
from slipway.plan.values import ContainerChange, Plan
from slipway.shell import LocalShell
from slipway.testing.registry import FakeRegistry

FILE = """format = 1
default = "nas"
registry = "push.lan"
[host.nas]
kind = "ssh"
address = "nas"
app_dir = "/pool/demo"
{}
[host.here]
kind = "local"
app_dir = "/srv/demo"
"""
LAN = Registry("lan:5000", "home")


def entry(line: str = "", name: str = "nas") -> HostEntry:
    """A host of the file."""
    return parse_hosts(FILE.format(line), home="/h").entries[name]


def test_a_host_pulls_only_where_it_says_so() -> None:
    """Where images are pushed to is not meant by it; what is named is stronger than the file."""
    assert pick_origin(entry(), "") is None
    assert pick_origin(entry(), "lan:5000/home") == LAN
    own = entry('registry = "lan:5000/home"')
    assert pick_origin(own, "") == LAN and own.to_json()["registry"] == "lan:5000/home"
    assert pick_origin(own, "http://attic:5000") == Registry("attic:5000", plain=True)


@pytest.mark.parametrize(("line", "named", "why"), [
    ("", "attic", "--from should be a server"),
    ("", "localhost:5000", "--from: localhost:5000 is this machine here, and another one on nas"),
    ('registry = "127.0.0.1:5000"', "", "registry of the host nas: 127.0.0.1:5000 is this machine"),
])  # fmt: skip
def test_what_no_host_can_pull_from(line: str, named: str, why: str) -> None:
    """It is told before anything is built."""
    with pytest.raises(ConfigError) as caught:
        pick_origin(entry(line), named)
    assert caught.value.message.startswith(why)
    assert caught.value.message.endswith("nothing was changed")


def test_this_machine_as_a_host_has_its_own_registry() -> None:
    """It is one and the same there."""
    found = pick_origin(entry(name="here"), "localhost:5000")
    assert found == Registry("localhost:5000", plain=True)


def test_a_file_with_no_registry_is_refused() -> None:
    """As the one at its top."""
    with pytest.raises(ConfigError) as caught:
        entry('registry = "docker.io/me"')
    assert "host.nas.registry: can't be Docker Hub" in caught.value.details[0]


@pytest.fixture
def images() -> tuple[Image, ...]:
    """Three."""
    return tuple(image_of(role, layer(role)) for role in ("api", "web", "db"))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    """A registry that wants a login."""
    made = FakeRegistry(login=("me", "canary"))
    monkeypatch.setattr(opening, "open_http", lambda registry: httpx.Client(transport=made))
    return made


def config(folder: Path, password: str) -> dict[str, str]:
    """An environment with a login of Docker's."""
    auth = base64.b64encode(f"me:{password}".encode()).decode()
    (folder / "config.json").write_text(
        json.dumps({"auths": {"lan:5000": {"auth": auth}, "other": {"auth": "b3RoZXI6bGVhaw=="}}})
    )
    return {"DOCKER_CONFIG": str(folder)}


def hold(fake: FakeRegistry, images: tuple[Image, ...]) -> None:
    """Have these be there."""
    for one in images:
        fake.manifests.setdefault(LAN.repository(one), {})[one.manifest_digest] = one.manifest


def test_the_login_for_this_registry_is_lent(
    tmp_path: Path, fake: FakeRegistry, images: tuple[Image, ...]
) -> None:
    """And no other one that Docker has here."""
    hold(fake, images)
    ready = origin_of(LAN, LocalShell(), config(tmp_path, "canary"), lambda _: None)
    login = ready(images)
    assert login is not None
    auth = base64.b64encode(b"me:canary").decode()
    assert json.loads(login.reveal()) == {"auths": {"lan:5000": {"auth": auth}}}
    assert {method for method, _ in fake.asked} == {"HEAD"}


def test_all_that_is_lacking_is_named_at_once(
    tmp_path: Path, fake: FakeRegistry, images: tuple[Image, ...]
) -> None:
    """With the command that brings it there."""
    hold(fake, images[1:2])
    ready = origin_of(LAN, LocalShell(), config(tmp_path, "canary"), lambda _: None)
    with pytest.raises(RegistryError, match="no image for api, db as built here") as caught:
        ready(images)
    assert caught.value.hint == "./inv push --to lan:5000/home"


def test_a_wrong_password_is_found_from_here(
    tmp_path: Path, fake: FakeRegistry, images: tuple[Image, ...]
) -> None:
    """It is in no message."""
    ready = origin_of(LAN, LocalShell(), config(tmp_path, "wr0ng"), lambda _: None)
    with pytest.raises(RegistryError, match="does not take the login") as caught:
        ready(images)
    assert caught.value.exit_code == 4 and "wr0ng" not in str(caught.value.to_json())


def test_without_a_login_nobody_is_shown(
    tmp_path: Path, fake: FakeRegistry, images: tuple[Image, ...]
) -> None:
    """The host's own configuration of Docker counts then."""
    fake.login = None
    hold(fake, images)
    environment = {"DOCKER_CONFIG": str(tmp_path)}
    assert origin_of(LAN, LocalShell(), environment, lambda _: None)(images) is None


def test_a_plan_says_where_images_come_from() -> None:
    """How many, and how much at most."""
    plan = Plan("r", 0, (ContainerChange("web", "create", "new"),), pull=Pulling(str(LAN), 3, 7000))
    assert "to pull 3 images from lan:5000/home, at most 7.0 kB" in plan_text(plan)
