"""The figures of deploys, from what commands took and printed."""

from __future__ import annotations

from typing import Any

from slipway.app import speeds


def run(seconds: float, touched: int, smoke: float = 2.0) -> tuple[float, dict[str, Any]]:
    """A deploy whose smoke test and record come after it is live."""
    steps = (("up", 1.0), ("verify", 0.5), ("smoke", smoke), ("record", 0.25))
    return seconds, {
        "bytes_sent": 1000 * touched,
        "round_trips": 17 + touched,
        "containers_touched": touched,
        "steps": [{"name": name, "seconds": took} for name, took in steps],
    }


def test_a_line_of_every_service() -> None:
    """Times are medians, counts the highest; live is before the smoke test."""
    figures = speeds.everywhere([run(8, 4), run(12, 5), run(7, 4)], saved=8_000_000)

    assert [(one.name, one.value, one.goal) for one in figures] == [
        ("one line: the host is asked", 22, 20),
        ("one line: bytes moved", 4.0, 100),
        ("one line: docker save | gzip / ours", 2000.0, None),
        ("one line: edit to verified live", 5.75, 5),
        ("one line: until the smoke test has passed", 7.75, None),
        ("one line: until the command ends", 8, None),
    ]


def test_a_line_of_one_service() -> None:
    """One container is replaced, or the figure misses its goal."""
    touched, asked, live, *_ = speeds.alone([run(6, 1), run(6.5, 2), run(7, 1)])

    assert (touched.name, touched.value, touched.goal) == (
        "one line of the API: containers touched", 2, 1
    )  # fmt: skip
    assert (asked.name, asked.value, asked.goal) == (
        "one line of the API: the host is asked",
        19,
        20,
    )
    assert (live.name, live.value) == ("one line of the API: edit to verified live", 4.25)


def test_nothing_changed() -> None:
    """The slowest of what may not happen at all, the median of the times."""
    figures = speeds.idle([run(0.5, 0), run(0.9, 3), run(0.6, 0)])

    assert [one.value for one in figures] == [0.6, 20, 3]
