"""Which registry is meant, and what a push there comes to."""

from __future__ import annotations

import pytest
from tests.unit.images.sample_images import image_of, layer

from slipway.app.pushing import pick_registry, push_answer
from slipway.errors import ConfigError
from slipway.hosts.config import parse_hosts
from slipway.images.registry.address import Registry

FILE = 'format = 1\ndefault = "a"\n{}[host.a]\nkind = "local"\napp_dir = "~/a"\n'
NAMED = FILE.format('registry = "registry.lan:5000/home"\n')


def test_the_registry_of_the_files() -> None:
    """The operator's own file is stronger, and ``--to`` stronger still."""
    hosts = parse_hosts(NAMED, home="/h")
    assert pick_registry(hosts, "") == Registry("registry.lan:5000", "home")
    own = 'format = 1\nregistry = "http://attic:5000"\n'
    assert pick_registry(parse_hosts(NAMED, home="/h", own=own), "") == Registry(
        "attic:5000", plain=True
    )
    assert parse_hosts(NAMED, home="/h", own="format = 1\n").registry == hosts.registry
    assert pick_registry(hosts, "localhost:5000/x") == Registry("localhost:5000", "x", plain=True)


@pytest.mark.parametrize(("value", "why"), [
    ("3", "registry: should be a string, got "),
    ('""', "registry: should be a server"),
    ('"docker.io/me"', "registry: can't be Docker Hub"),
])  # fmt: skip
def test_what_is_no_registry(value: str, why: str) -> None:
    """It is a problem of the file, beside all others of it."""
    with pytest.raises(ConfigError) as caught:
        parse_hosts(FILE.format(f"registry = {value}\nother = 1\n"), home="/h")
    assert len(caught.value.details) == 2
    assert any(why in line for line in caught.value.details)


def test_without_a_registry() -> None:
    """Nothing is built for a push that has no place to go to."""
    hosts = parse_hosts(FILE.format(""), home="/h")
    with pytest.raises(ConfigError, match=r"no `registry` in deploy/hosts\.toml") as none:
        pick_registry(hosts, "")
    assert "--to HOST:PORT" in str(none.value.hint)
    with pytest.raises(ConfigError, match="--to should be a server") as wrong:
        pick_registry(hosts, "registry")
    assert "nothing was sent" in wrong.value.message


def test_what_a_push_comes_to() -> None:
    """For people by which reference to pull; for programs both."""
    image = image_of("api", layer("a"))
    where = Registry("registry.lan:5000", "home")
    done = push_answer(where, [image], 1_500_000, pushed=True)
    assert done.talk == "registry.lan:5000/home has all 1 images; 1.5 MB were sent"
    assert where.pinned(image) in done.text
    dry = push_answer(where, [image], 1_500_000, pushed=False)
    assert dry.talk == "1.5 MB are to be sent to registry.lan:5000/home; nothing was"
    assert isinstance(dry.json, dict) and dry.json["pushed"] is False
