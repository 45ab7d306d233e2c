"""A line for tests does to packets what netem would."""

from __future__ import annotations

import random
from itertools import pairwise, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.testing.line import Lane, Quality

#: A thousand bytes take 10 ms.
SLOW = Quality(rate=800_000, delay_s=0.05, loss=0.0, limit=10)
PACKET = bytes(1000)


def never() -> float:
    """Lose nothing."""
    return 0.999


def test_a_packet_takes_its_bits_and_the_delay() -> None:
    """One that finds the line free is there after both, and not before."""
    lane = Lane(SLOW, never)
    lane.take(PACKET, 5.0)
    assert lane.next_at == pytest.approx(5.06)
    assert lane.arrived(5.0599) == []
    assert lane.arrived(5.0601) == [PACKET]
    assert (lane.next_at, lane.carried, lane.lost) == (None, 1000, 0)


def test_packets_follow_each_other() -> None:
    """Each is on the line after the one before; after a pause nothing is left of the queue."""
    lane = Lane(SLOW, never)
    for number in range(3):
        lane.take(bytes([number]) * 1000, 0.0)
    assert [packet[0] for packet in lane.arrived(0.0701)] == [0, 1]
    assert [packet[0] for packet in lane.arrived(0.0801)] == [2]
    lane.take(PACKET, 1.0)
    assert lane.next_at == pytest.approx(1.06)


def test_what_finds_the_queue_full_is_lost() -> None:
    """The queue holds so many packets and not one more."""
    lane = Lane(SLOW, never)
    for _ in range(12):
        lane.take(PACKET, 0.0)
    assert lane.lost == 2
    assert len(lane.arrived(10.0)) == 10


def test_a_lost_packet_took_its_time() -> None:
    """It was on the line all the same, so the next one comes no earlier."""
    chances = iter((0.01, 0.5))
    lane = Lane(Quality(800_000, 0.05, 0.02), lambda: next(chances))
    lane.take(b"lost" * 250, 0.0)
    lane.take(PACKET, 0.0)
    assert lane.next_at == pytest.approx(0.07)
    assert (lane.arrived(1.0), lane.lost) == ([PACKET], 1)


def test_so_many_are_lost() -> None:
    """Of many packets two of a hundred, by chance."""
    lane = Lane(Quality(rate=8e9, limit=100_000), random.Random(1).random)
    for _ in range(50_000):
        lane.take(PACKET, 0.0)
    assert lane.lost / 50_000 == pytest.approx(0.02, abs=0.003)


def test_a_cut_line_carries_nothing() -> None:
    """What is under way is gone, too; afterwards it is as before."""
    lane = Lane(SLOW, never)
    lane.take(PACKET, 0.0)
    lane.cut = True
    lane.take(PACKET, 0.01)
    assert lane.arrived(1.0) == []
    assert (lane.carried, lane.lost) == (0, 2)
    lane.cut = False
    lane.take(PACKET, 2.0)
    assert lane.arrived(3.0) == [PACKET]


@given(st.lists(st.tuples(st.floats(0, 0.1), st.integers(20, 1500)), min_size=1, max_size=60))
def test_never_faster_than_its_rate(sent: list[tuple[float, int]]) -> None:
    """However packets come, no span of time brings more bits than the rate allows."""
    lane, now = Lane(Quality(800_000, 0.05, 0.0, limit=10**6), never), 0.0
    for pause, size in sent:
        now += pause
        lane.take(bytes(size), now)
    arrivals: list[tuple[float, int]] = []
    while (at := lane.next_at) is not None:
        arrivals += zip(repeat(at), map(len, lane.arrived(at)), strict=False)
    assert [size for _, size in arrivals] == [size for _, size in sent]
    for (before, _), (after, size) in pairwise(arrivals):
        assert after - before >= size * 8 / 800_000 - 1e-9
