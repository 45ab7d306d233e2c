"""What containers should be made of, from a release's Compose file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slipway.runner.containers import veiled
from slipway.stack.limits import Limits
from slipway.stack.shape import Shape, network_name, read_shapes


def shape(body: dict[str, Any], **document: Any) -> Shape:
    """Of the one service of a document."""
    whole = {"name": "shop", "services": {"web": body}, **document}
    return read_shapes(json.dumps(whole).encode())["web"]


def test_a_bare_service_has_compose_s_own() -> None:
    """Without a word about them: no variables, no mounts, the default network, no restarts."""
    assert shape({}) == Shape({}, {}, frozenset({"shop_default"}), Limits(), "no")


def test_a_service_with_everything() -> None:
    """Names are Docker's, paths are normal, values are veiled, a doubled dollar is one."""
    made = shape(
        {
            "environment": {"PRICE": "1$$", "PORT": 80, "FROM_IMAGE": None},
            "networks": {"front": None, "back": {"aliases": ["b"]}},
            "restart": "on-failure:3",
            "mem_limit": "64m",
            "volumes": [
                {"type": "bind", "source": "/data//films/", "target": "/films/"},
                {"type": "volume", "source": "cache", "target": "/cache"},
                {"type": "volume", "source": "own", "target": "/own"},
                {"type": "volume", "target": "/nameless"},
                {"type": "tmpfs", "target": "/tmp"},
            ],
            "configs": [
                {"source": "conf", "target": "/etc/x.conf"},
                {"source": "conf"},
                {"source": "inline"},
                {"source": "nowhere"},
            ],
            "secrets": [{"source": "key"}, {"source": "key", "target": "other"}],
        },
        networks={"back": {"name": "shared"}, "front": {}},
        volumes={"cache": None, "own": {"name": "own-volume"}},
        configs={"conf": {"file": "/r/./x.conf"}, "inline": {"content": "x"}},
        secrets={"key": {"file": "/r/key"}},
    )

    assert made == Shape(
        environment={"PRICE": veiled("1$"), "PORT": veiled("80")},
        mounts={
            "/films": "/data/films",
            "/cache": "shop_cache",
            "/own": "own-volume",
            "/etc/x.conf": "/r/x.conf",
            "/conf": "/r/x.conf",
            "/run/secrets/key": "/r/key",
            "/run/secrets/other": "/r/key",
        },
        networks=frozenset({"shop_front", "shared"}),
        limits=Limits(memory=64 * 2**20),
        restart="on-failure",
    )


@pytest.mark.parametrize(
    ("body", "restart"),
    [
        ({"restart": "always"}, "always"),
        ({"restart": "always", "deploy": {"resources": {}}}, "always"),
        ({"restart": "always", "deploy": {"restart_policy": {"condition": "none"}}}, ""),
    ],
)
def test_a_policy_that_is_said_in_another_way_is_not_compared(
    body: dict[str, Any], restart: str
) -> None:
    """Compose turns ``deploy.restart_policy`` into Docker's by itself."""
    assert shape(body).restart == restart


def test_the_network_of_something_else_is_not_its_own() -> None:
    """Such as the host's, or another container's."""
    assert shape({"network_mode": "host"}).networks is None


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"name": "shop", "networks": {"front": {"name": "shared"}}}, "shared"),
        ({"name": "shop", "networks": {"front": None}}, "shop_front"),
        ({"name": "shop"}, "shop_front"),
        ({"name": "shop", "volumes": {"front": {"name": "a volume's"}}}, "shop_front"),
        ({}, "_front"),
    ],
)
def test_names_of_networks(document: dict[str, Any], name: str) -> None:
    """Its own name, else the project's before it."""
    assert network_name(document, "front") == name
