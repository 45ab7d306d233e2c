"""One direction of a slow and lossy line, packet by packet. Pure.

It does what Linux' netem does with ``rate``, ``delay``, ``loss`` and ``limit`` (tc-netem(8)), for
kernels that come without it:

- a packet is on the line for as long as its bits take at that rate, one after the other;
- it arrives the delay later, in the order of sending;
- so many of all packets are lost, each by itself, and nobody is told: whoever sent one finds out
  as on any line, so TCP's own repeats, pauses and lower speeds are real;
- what finds the queue full is lost, too.

Not done: delays that vary, packets that overtake, come twice or come changed, losses in bursts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quality:
    """What a line is like, each way.

    Attributes:
        rate: bits a second.
        delay_s: seconds from end to end, so half of a round trip.
        loss: share of packets that are lost, 0 to 1.
        limit: packets that wait for the line at most; netem's own default.
    """

    rate: float = 5e6
    delay_s: float = 0.05
    loss: float = 0.02
    limit: int = 1000


class Lane:
    """One direction of a line.

    Args:
        quality: what it is like.
        chance: a number from 0 up to 1, another one each time.

    Attributes:
        cut: whether nothing gets through any more, what is under way included.
        carried: bytes that arrived.
        lost: packets that did not.
    """

    def __init__(self, quality: Quality, chance: Callable[[], float]) -> None:
        self._quality, self._chance = quality, chance
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0
        self.cut = False
        self.carried = self.lost = 0

    def take(self, packet: bytes, now: float) -> None:
        """Send a packet.

        Args:
            packet: its bytes.
            now: seconds, by a clock that only grows.
        """
        if self.cut or len(self._under_way) >= self._quality.limit:
            self.lost += 1
            return
        self._free_at = max(now, self._free_at) + len(packet) * 8 / self._quality.rate
        if self._chance() < self._quality.loss:
            self.lost += 1
            return
        self._under_way.append((self._free_at + self._quality.delay_s, packet))

    def arrived(self, now: float) -> list[bytes]:
        """The packets that have come to the other end by now, in order."""
        found: list[bytes] = []
        while self._under_way and self._under_way[0][0] <= now:
            found.append(self._under_way.popleft()[1])
        if self.cut:
            self.lost += len(found)
            return []
        self.carried += sum(map(len, found))
        return found

    @property
    def next_at(self) -> float | None:
        """When the next packet arrives; None when none is under way."""
        return self._under_way[0][0] if self._under_way else None
