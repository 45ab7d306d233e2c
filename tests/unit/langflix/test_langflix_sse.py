"""Server-sent events: whatever the pieces, the events are the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langflix.cli.sse import BOM, MAX_EVENT, Event, Parser

PIECES = st.sampled_from(
    [
        b"data",
        b"event",
        b"id",
        b":",
        b": ",
        b" ",
        b"\r",
        b"\n",
        b"\r\n",
        b"x",
        b"\xc3",
        b"\xa4",
        BOM,
    ]
)
STREAMS = st.lists(PIECES | st.binary(max_size=3), max_size=40).map(b"".join)


def whole(stream: bytes) -> list[Event]:
    """Read a stream that is there as a whole, as the standard words it."""
    found: list[Event] = []
    name, data = "", list[str]()
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    *lines, _ = re.split("\r\n|\n|\r", text)
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                found.append(Event(name or "message", "\n".join(data)))
            name, data = "", list[str]()
        elif field == "data":
            data.append(value)
        elif field == "event":
            name = value
    return found


def fed(pieces: Iterable[bytes]) -> list[Event]:
    """Return the events that a parser finds in these pieces."""
    parser = Parser()
    return [event for piece in pieces for event in parser.feed(piece)]


@given(STREAMS, st.lists(st.integers(0, 200), max_size=8))
@example(b"\xef\xbb\xbfdata: 1\r\n\r\n", [1, 2, 3, 12, 13, 14])
@example(b"data: 1\r\ndata: 2\r\n\r\ndata: 3\r\r", [8])
@example(b"data: \xc3\xa4\n\n", [7])
def test_any_bytes_split_anywhere(stream: bytes, cuts: list[int]) -> None:
    """However a stream is cut, its events are those of the whole."""
    at = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(at)]
    bytes_alone = [bytes([byte]) for byte in stream]
    # A CR that nothing follows may be half a line's end: it is told with what comes next.
    assert fed(pieces) == fed(bytes_alone) == whole(stream.removesuffix(b"\r"))


def test_the_events_of_the_api() -> None:
    """Names, data of several lines, comments, unknown fields and empty events."""
    stream = (
        b"retry: 1000\n\nevent: job\ndata: {\ndata:  }\n\n: nothing new\n\nevent: x\n\ndata\n\n"
    )
    assert Parser().feed(stream) == [Event("job", "{\n }"), Event("message", "")]


@pytest.mark.parametrize("line", [b"x" * 1000, b"data: " + b"x" * 1000 + b"\n"])
def test_an_event_without_end_is_refused(line: bytes) -> None:
    """Neither a line nor the lines of one event fill the memory."""
    parser = Parser()
    with pytest.raises(ValueError, match="more than"):
        for _ in range(MAX_EVENT // 1000 + 2):
            parser.feed(line)
