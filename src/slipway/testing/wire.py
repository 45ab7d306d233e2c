"""A slow line to a host of tests: two interfaces of the kernel, with our own packets' way between.

Each end is a TUN interface (Linux' ``Documentation/networking/tuntap``), one in this network
namespace and one in the host's. What is sent to one is read here, goes along a
:class:`~slipway.testing.line.Lane`, and comes out at the other. TCP at both ends is the kernel's,
with CUBIC, Linux' own default, whatever this machine has been set to.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import random
import select
import struct
import subprocess
import threading
import time
from types import TracebackType

from slipway.hosts.rehearsal.network import Network
from slipway.testing.line import Lane, Quality

# linux/if_tun.h, linux/sched.h
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
_PACKET_BYTES = 1 << 16
_AT_ONCE = 64
_MTU = 1500
_END_S = 5.0
_IDLE_S = 1.0
_IP_S = 20.0
_LIBC = ctypes.CDLL(None, use_errno=True)


class Wire:
    """A slow line to the network namespace of a process, there from enter to exit.

    Args:
        pid: a process of the host's.
        net: four addresses that nobody uses here or there.
        name: what to call both interfaces; 15 characters at most.
        quality: what the line is like.
        seed: of what is lost by chance.

    Attributes:
        name: of both interfaces.
        there: packets on their way to the host.
        back: those from it.
    """

    def __init__(
        self, pid: int, net: Network, name: str, quality: Quality, *, seed: int = 1
    ) -> None:
        self.name, self._pid, self._net = name, pid, net
        chance = random.Random(seed).random  # noqa: S311 - what is lost is no secret
        self.there, self.back = Lane(quality, chance), Lane(quality, chance)
        self._over = threading.Event()
        self._ends: list[int] = []
        self._thread = threading.Thread(target=self._carry, name="slipway-wire", daemon=True)

    @property
    def address(self) -> str:
        """The host's address on the line."""
        return str(self._net.network_address + 2)

    def cut(self) -> None:
        """Let nothing through from now on; neither end is told."""
        self.there.cut = self.back.cut = True

    def mend(self) -> None:
        """Let packets through again."""
        self.there.cut = self.back.cut = False

    def __enter__(self) -> Wire:
        inside = ("nsenter", f"--net=/proc/{self._pid}/ns/net", "--")
        try:
            for number, prefix in enumerate(((), inside)):
                self._ends.append(self._end(self._pid if prefix else None))
                place = self._net.network_address + 1 + number
                for argv in (
                    ["addr", "add", f"{place}/{self._net.prefixlen}", "dev", self.name],
                    ["link", "set", self.name, "mtu", str(_MTU), "up"],
                    ["route", "replace", str(self._net), "dev", self.name, "src", str(place),
                     "congctl", "cubic"],
                ):  # fmt: skip
                    subprocess.run([*prefix, "ip", *argv], check=True, timeout=_IP_S)
        except BaseException:
            self._close()
            raise
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(_END_S)
        self._close()

    def _close(self) -> None:
        """An interface goes with the descriptor that it was made by."""
        for end in self._ends:
            os.close(end)
        self._ends.clear()

    def _end(self, pid: int | None) -> int:
        """Make an interface, in the network namespace of a process or here; its descriptor."""
        made: list[int | OSError] = []

        def make() -> None:
            try:
                if pid is not None:
                    _enter(pid)
                made.append(_tun(self.name))
            except OSError as error:
                made.append(error)

        # A namespace is a thread's: one that has gone into another one ends there.
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if isinstance(made[0], OSError):
            raise made[0]
        return made[0]

    def _carry(self) -> None:
        here, there = self._ends
        ways = {here: (self.there, there), there: (self.back, here)}
        while not self._over.is_set():
            due = [lane.next_at for lane, _ in ways.values() if lane.next_at is not None]
            pause = min((*(at - time.monotonic() for at in due), _IDLE_S))
            for end in select.select(list(ways), [], [], max(0.0, pause))[0]:
                for packet in _waiting(end):
                    ways[end][0].take(packet, time.monotonic())
            for lane, other in ways.values():
                for packet in lane.arrived(time.monotonic()):
                    with contextlib.suppress(OSError):  # an interface that is being taken down
                        os.write(other, packet)


def _enter(pid: int) -> None:
    """Have this thread be in the network namespace of a process."""
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if _LIBC.setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(descriptor)


def _tun(name: str) -> int:
    """Make a TUN interface in this thread's network namespace; its descriptor."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        wanted = struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI)
        fcntl.ioctl(descriptor, _TUNSETIFF, wanted)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _waiting(end: int) -> list[bytes]:
    """The packets that wait at an end, so many that those of the other don't have to wait."""
    found: list[bytes] = []
    with contextlib.suppress(OSError):  # none is left, or the interface is being taken down
        while len(found) < _AT_ONCE:
            found.append(os.read(end, _PACKET_BYTES))
    return found
