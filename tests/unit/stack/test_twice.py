"""What keeps two containers of a service from being there at once."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.stack.twice import stands_once


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"ports": [{"target": 1}, {"published": "80"}, {"published": "81"}]}, "port 80"),
        ({"ports": [{"published": 80}]}, "port 80"),
        ({"network_mode": "container:x"}, "network_mode container:x"),
        ({"network_mode": "service:x"}, "network_mode service:x"),
        ({"network_mode": "host"}, "network_mode host"),
        ({"networks": {"m": None, "n": {"ipv4_address": "10.0.0.2"}}}, "10.0.0.2 in the network n"),
        ({"networks": {"n": {"ipv6_address": "fd00::2"}}}, "fd00::2 in the network n"),
        (
            {"networks": {"n": {"mac_address": "02:42:00:00:00:01"}}},
            "02:42:00:00:00:01 in the netw",
        ),
        ({"mac_address": "02:42:00:00:00:01"}, "02:42:00:00:00:01"),
    ],
)
def test_what_only_one_container_can_have_is_named(body: dict[str, Any], why: str) -> None:
    """The first reason is told, with what the two would both want."""
    assert why in stands_once(body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ports": [{"published": ""}, {"published": "0"}, {"published": "80-90"}, {"target": 1}]},
        {"ports": None, "networks": None, "network_mode": "bridge"},
        {"networks": {"n": {"aliases": ["x"], "ipv4_address": ""}}},
    ],
)
def test_everything_else_speaks_against_nothing(body: dict[str, Any]) -> None:
    """A port that Docker picks, a range, a network that gives addresses."""
    assert stands_once(body) == ""
