"""How often a command waits for a distant server, told by what goes out before any answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import paramiko
import pytest
from tests.integration.hosts.relay import Relay
from tests.integration.hosts.sshd_server import Sshd

from slipway.hosts import channels, command, frame
from slipway.hosts.ssh import SshHost

#: An argument so long that the request for a channel can't be taken for the command.
LONG = "x" * 20_000


@pytest.fixture
def relay(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """A way to the server; however busy this machine is, a spare channel counts as fresh."""
    monkeypatch.setattr(channels, "_HEARD_S", 3600.0)
    with Relay(sshd.login.port) as relay:
        yield relay


@pytest.fixture
def host(sshd: Sshd, relay: Relay) -> Iterator[SshHost]:
    """The server by that way, connected to."""
    known = sshd.folder / "relay_hosts"
    key = (sshd.folder / "host_key.pub").read_text("utf-8")
    known.write_text(f"[127.0.0.1]:{relay.port} {key}", "utf-8")
    host = sshd.host(port=relay.port, known_hosts=str(known))
    assert host.run(["true"], timeout=60).ok
    yield host
    host.close()


def test_a_command_waits_for_no_channel(host: SshHost, relay: Relay) -> None:
    """It goes out before the server says a word: its channel was opened while the last one ran."""
    for number in range(3):
        relay.hold(len(LONG))
        assert host.run(["echo", str(number), LONG], timeout=10).text == f"{number} {LONG}\n"


def test_a_stream_waits_for_no_channel(host: SshHost, relay: Relay) -> None:
    """The same of a command that is fed; and the next one has its channel, too."""
    relay.hold(len(LONG))
    done = host.stream(["sh", "-c", f"cat # {LONG}"], [b"1", b"2"], stall_timeout=10)
    assert done.stdout == b"12"
    relay.hold(len(LONG))
    assert host.run(["true", LONG], timeout=10).ok


def test_a_command_waits_for_no_leave(host: SshHost, relay: Relay) -> None:
    """The end of its input and the wish for the next channel go out with it, before any answer.

    Each of the three packets has at least 32 bytes beside what it says; the first one alone has
    less than 100 beside its line.
    """
    argv = ("true", LONG)
    line = frame.framed(command.wrapped(argv, sudo=False, timeout=10), frame.new_mark())
    for _ in range(3):
        relay.hold(len(line) + 100)
        assert host.run(argv, timeout=10).ok


def test_the_greeting_waits_for_no_receipt(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small packets go out at once before the first one does: a login is nothing else."""
    at_once: list[int] = []

    class Watched(paramiko.Transport):
        """Looks at the connection before it says anything."""

        def __init__(self, sock: socket.socket, **options: Any) -> None:
            at_once.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            super().__init__(sock, **options)

    monkeypatch.setattr(paramiko, "Transport", Watched)
    host = sshd.host()
    assert host.run(["true"], timeout=60).ok
    host.close()
    assert [bool(one) for one in at_once] == [True]
