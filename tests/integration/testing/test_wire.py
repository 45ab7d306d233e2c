"""A slow line between two network namespaces, with the kernel's own TCP at both ends."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.doors import SystemClock
from slipway.hosts.rehearsal import machine, network
from slipway.shell import LocalShell
from slipway.testing.line import Quality
from slipway.testing.wire import Wire

#: Sends back the hash of what it was sent, to each who connects.
_SERVER = """import hashlib, socket
listener = socket.create_server(("", 7000))
print("listens", flush=True)
while True:
    connection = listener.accept()[0]
    found = hashlib.sha256()
    while data := connection.recv(65536):
        found.update(data)
    connection.sendall(found.hexdigest().encode())
    connection.close()
"""

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/dev/net/tun").exists(),
    reason="network namespaces and TUN interfaces need root and /dev/net/tun",
)


@pytest.fixture
def server() -> Iterator[int]:
    """A process in a network namespace of its own that answers there on port 7000."""
    argv = ["unshare", "--net", sys.executable, "-c", _SERVER]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"listens\n"
        yield process.pid
        process.kill()


def wire(pid: int, quality: Quality) -> Wire:
    """A line to it, on addresses that nobody has."""
    net = network.choose(secrets.token_hex(5), machine.taken(LocalShell()))
    return Wire(pid, net, f"line{secrets.token_hex(3)}", quality)


def hashed(address: str, data: bytes) -> str:
    """What the server says of data."""
    with socket.create_connection((address, 7000), timeout=60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(64, socket.MSG_WAITALL).decode()


def test_all_arrives_though_much_is_lost(server: int) -> None:
    """TCP's repeats get through; no sooner than rate and delay allow, and packets were lost."""
    data, quality = os.urandom(300_000), Quality(rate=5e6, delay_s=0.05, loss=0.05)
    with wire(server, quality) as line:
        began = time.monotonic()
        assert hashed(line.address, data) == hashlib.sha256(data).hexdigest()
        took = time.monotonic() - began
    # A round trip to connect, one more for the answer, and the bits.
    assert took >= 4 * quality.delay_s + len(data) * 8 / quality.rate
    assert line.there.lost > 0
    assert line.there.carried > len(data)
    assert not Path("/sys/class/net", line.name).exists()


def test_a_cut_line_goes_on_when_it_is_mended(server: int) -> None:
    """A connection that lives longer than the cut does not notice; meanwhile nothing arrives."""
    data, clock = os.urandom(200_000), SystemClock()
    with wire(server, Quality(loss=0.0)) as line, contextlib.ExitStack() as stack:
        line.cut()
        answer: list[str] = []
        thread = threading.Thread(target=lambda: answer.append(hashed(line.address, data)))
        thread.start()
        stack.callback(thread.join, 60)
        while not line.there.lost:  # its first packet was sent, and is gone
            clock.sleep(0.01)
        assert (line.there.carried, answer) == (0, [])
        line.mend()
        thread.join(60)
        assert answer == [hashlib.sha256(data).hexdigest()]
