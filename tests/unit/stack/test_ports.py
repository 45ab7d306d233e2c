"""The ports that services publish on the host."""

from __future__ import annotations

from slipway.stack.ports import published_ports


def test_published_ports() -> None:
    """Ports and ranges of TCP count; other protocols, inner ports and other services don't."""
    ports = [
        {"target": 80, "published": "8080", "protocol": "tcp"},
        {"target": 80, "published": "81", "host_ip": "127.0.0.1"},
        {"target": 53, "published": "53", "protocol": "udp"},
        {"target": 90, "protocol": "tcp"},
        {"target": 91, "published": ""},
        {"target": 1, "published": "100-102", "protocol": "tcp"},
        {"target": 1, "published": 200},
    ]
    services = {"a": {"ports": ports}, "b": {"ports": [{"target": 1, "published": "1"}]}, "c": {}}
    assert published_ports(services, ["a", "c"]) == {8080, 81, 100, 101, 102, 200}
