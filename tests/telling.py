"""How failed tests are told: whoever sees only the end of a long run has to see which they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_SHOWN_BYTES = 200
_SHOWN_TESTS = 50


def bytes_differ(left: bytes, right: bytes) -> list[str] | None:
    """Two long values that are not equal, in a few lines; None for short ones, which fit as is.

    A whole comparison of megabytes takes minutes to write, and nobody reads it.
    """
    if max(len(left), len(right)) <= _SHOWN_BYTES:
        return None
    pairs = enumerate(zip(left, right, strict=False))
    at = next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))
    return [
        f"{len(left):,} bytes == {len(right):,} bytes",
        f"They differ from byte {at:,} on:",
        *(f"{len(side):,} bytes: {_cut(side[at:])}" for side in (left, right)),
    ]


def _cut(data: bytes) -> str:
    more = len(data) - _SHOWN_BYTES
    return f"{data[:_SHOWN_BYTES]!r}{f' and {more:,} more' if more > 0 else ''}"


def last_words(failed: Sequence[str]) -> Iterator[str]:
    """A line for each test that failed, and no more of them than fit on a screen."""
    if failed:
        yield f"{len(failed)} failed:"
    yield from (f"  {name}" for name in failed[:_SHOWN_TESTS])
    if len(failed) > _SHOWN_TESTS:
        yield f"  and {len(failed) - _SHOWN_TESTS} more"
