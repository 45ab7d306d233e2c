"""Counting what a host is asked."""

from __future__ import annotations

from slipway.hosts.counting import CountingHost
from slipway.testing import FakeHost


def test_a_counting_host_counts_commands_by_kind() -> None:
    """Every call is counted once, and answered by the host behind."""
    behind = FakeHost()
    behind.on("true")
    behind.on("cat", reply=b"in")
    host = CountingHost(behind)
    host.run(("true",), timeout=1)
    host.run(("true",), timeout=1, check=False)
    assert host.stream(("cat",), [b"a", b"b"], stall_timeout=1).stdout == b"in"
    assert host.interact(("true",)) == 0
    host.put("/a", b"x", mode=0o600)
    assert host.read("/a") == b"x"
    host.close()
    assert host.counts == {"run": 2, "stream": 1, "interact": 1, "put": 1, "read": 1}
    assert (host.total, host.name, behind.closed) == (6, "fake", True)
    assert host.asked[-2:] == ["put /a", "read /a"]


def test_a_script_is_told_by_its_name() -> None:
    """What is shown of a script of ours is its name and first arguments, not its text."""
    behind = FakeHost()
    behind.on("sh", reply=b"")
    host = CountingHost(behind)
    host.run(("sh", "-c", "echo a long script", "wait", "docker", "demo", "0"), timeout=1)
    assert host.asked == ["run wait docker demo"]
