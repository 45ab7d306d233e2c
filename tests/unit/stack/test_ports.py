"""Ports that services publish."""

from __future__ import annotations

from tests.composing import stack

from slipway.stack.ports import published_ports


def test_published_ports() -> None:
    """Short, long and ranged forms count; other protocols, inner ports and others don't."""
    text = """
x-slipway: {application: demo, url: u}
services:
  a:
    image: i
    ports: ["8080:80", "127.0.0.1:81:80/tcp", "53:53/udp", "90", "100-102:1-3",
            {target: 1, published: "200"}, {target: 1, published: "201", protocol: udp},
            "[::1]:300:1"]
  b: {image: i, ports: ["1:1"]}
"""
    services = stack([("f.yml", text)]).services
    assert published_ports(services, ["a"]) == {8080, 81, 100, 101, 102, 200, 300}


def test_a_port_without_a_protocol_is_tcp() -> None:
    """What a later form of the model leaves out is usual; a range may be of one port."""
    ports = [{"published": "1"}, {"published": "2-2"}, {"protocol": "tcp"}, {"published": "x3"}]
    assert published_ports({"a": {"ports": ports}, "b": {}}, ["a", "b"]) == {1, 2}
