"""A command's channel is opened while the one before runs, and trusted only while that is safe."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import paramiko
import pytest

from slipway.hosts import channels
from slipway.hosts.channels import Channels


@dataclass
class Channel:
    """A channel that can be closed."""

    transport: Transport
    closed: bool = False

    def get_transport(self) -> Transport:
        """The connection it is of."""
        return self.transport

    def close(self) -> None:
        """Close it."""
        self.closed = True


@dataclass
class Transport:
    """A connection whose server allows so many channels."""

    sock: socket.socket
    allowed: int = 10
    opened: list[Channel] = field(default_factory=list)
    asked: int = 0

    def is_active(self) -> bool:
        """The library has seen no end."""
        return True

    def open_session(self, timeout: float) -> Channel:
        """One more, or a refusal."""
        self.asked += 1
        if sum(not one.closed for one in self.opened) >= self.allowed:
            raise paramiko.ChannelException(1, "no more")
        self.opened.append(Channel(self))
        return self.opened[-1]


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection."""
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture
def transport(ends: tuple[socket.socket, socket.socket]) -> Transport:
    """A connection."""
    return Transport(ends[0])


def real(transport: Transport) -> paramiko.Transport:
    """As the code's own type has it."""
    return cast(paramiko.Transport, transport)


def test_the_next_one_is_there_already(transport: Transport) -> None:
    """One that was opened ahead is taken once, and no second one is opened beside it."""
    made = Channels()
    first = made.open(real(transport))
    made.open_ahead(real(transport))
    made.open_ahead(real(transport))
    made.heard()
    assert made.open(real(transport)) is not first
    assert transport.asked == 2
    made.open(real(transport))
    assert transport.asked == 3


def opened(made: Channels) -> Channel:
    """The one that was opened ahead."""
    assert made._spare is not None
    return cast(Channel, made._spare.answer())


@pytest.mark.parametrize("how", ["long unheard", "closed", "another connection", "ended"])
def test_one_that_may_be_dead_is_not_used(
    transport: Transport,
    ends: tuple[socket.socket, socket.socket],
    how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connection that is gone is found by asking for a channel, before a command is put on it."""
    made, other = Channels(), transport
    made.open_ahead(real(transport))
    made.heard()
    spare = opened(made)
    if how == "long unheard":
        monkeypatch.setattr(channels, "_HEARD_S", 0.0)
    elif how == "closed":
        spare.closed = True
    elif how == "another connection":
        other = Transport(ends[0])
    else:
        ends[1].close()
    assert cast(Channel, made.open(real(other))) is not spare
    assert spare.closed


def test_what_lies_there_to_be_read_is_no_end(
    transport: Transport, ends: tuple[socket.socket, socket.socket]
) -> None:
    """The last words of the command before, say."""
    made = Channels()
    made.open_ahead(real(transport))
    made.heard()
    ends[1].send(b"words")
    assert cast(Channel, made.open(real(transport))) is transport.opened[0]
    assert ends[0].recv(10) == b"words"


def test_a_server_that_allows_one_only_is_asked_once(transport: Transport) -> None:
    """Its refusal is remembered, and no command suffers by it."""
    made, transport.allowed = Channels(), 1
    for _ in range(3):
        one = made.open(real(transport))
        made.open_ahead(real(transport))
        made.heard()
        one.close()
    assert transport.asked == 4


def test_after_an_end_nothing_is_left(transport: Transport) -> None:
    """What was opened ahead went with the connection."""
    made = Channels()
    made.open_ahead(real(transport))
    opened(made)
    made.heard()
    made.drop()
    made.open(real(transport))
    assert transport.asked == 2


def test_no_command_waits_while_one_is_opened(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the server is slow to answer: only who needs that channel waits for it."""
    made, go_on, answer = Channels(), threading.Event(), transport.open_session

    def slow(timeout: float) -> Channel:
        assert go_on.wait(20)
        return answer(timeout)

    monkeypatch.setattr(transport, "open_session", slow)
    made.open_ahead(real(transport))
    assert transport.opened == []
    go_on.set()
    assert cast(Channel, made.open(real(transport))) in transport.opened
