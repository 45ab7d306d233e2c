"""The stand-in's wire: frames, messages, JSON with dates, and what a request may be."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.hosts.rehearsal.nas import ejson, frames, rpc, session

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def _reader(data: bytes) -> tuple[list[frames.Message], frames.Message]:
    stream, controls = io.BytesIO(data), list[frames.Message]()

    def read(size: int) -> bytes:
        got = stream.read(size)
        if len(got) < size:
            raise frames.Gone
        return got

    return controls, frames.read_message(read, controls.append)


@given(st.binary(max_size=300) | st.integers(65_530, 65_545).map(bytes), st.binary(max_size=4))
def test_frames_come_back(data: bytes, mask: bytes) -> None:
    """Any payload arrives as it was sent, masked or not, whatever its length's form."""
    mask = mask if len(mask) == 4 else b""

    assert _reader(frames.encode(frames.BINARY, data, mask))[1].data == data


def test_the_answer_to_a_key() -> None:
    """The example of RFC 6455, 1.3."""
    assert frames.accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_a_masked_frame() -> None:
    """The example of RFC 6455, 5.7."""
    frame = bytes.fromhex("818537fa213d7f9f4d5158")

    assert frames.encode(frames.TEXT, b"Hello", bytes.fromhex("37fa213d")) == frame
    assert _reader(frame)[1].data == b"Hello"


def test_fragments_are_joined_and_controls_come_between() -> None:
    """A ping between two fragments is handed on at once."""
    first = b"\x01\x03one"  # text, more to come
    last = b"\x80\x03two"
    controls, message = _reader(first + frames.encode(frames.PING, b"?") + last)

    assert (message.kind, message.data) == (frames.TEXT, b"onetwo")
    assert controls == [frames.Message(frames.PING, b"?")]


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\x80\x01x", 1002), (b"\x01\x01x\x81\x01y", 1002), (b"\x82\x7f" + b"\xff" * 8, 1009)],
)
def test_broken_frames(data: bytes, code: int) -> None:
    """A continuation of nothing, a beginning amid fragments, more than fits."""
    with pytest.raises(frames.ProtocolError) as refused:
        _reader(data)

    assert refused.value.code == code


def test_a_closing_frame_says_why() -> None:
    """Code and reason; an empty one has neither."""
    _, message = _reader(frames.closing(1009, "too long"))

    assert frames.read_closing(message.data) == (1009, "too long")
    assert frames.read_closing(b"") == (None, None)


@given(PLAIN)
def test_plain_json_stays_as_it_is(value: object) -> None:
    """What JSON has itself is written as JSON has it."""
    assert ejson.loads(ejson.dumps(value)) == value
    assert json.loads(ejson.dumps(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 8, 4, 10, 53, tzinfo=UTC), '{"$date": 1785840780000}'),
        (date(2026, 8, 4), '{"$type": "date", "$value": "2026-08-04"}'),
        (time(10, 53, 7), '{"$time": "10:53:07"}'),
        ({"one"}, '{"$set": ["one"]}'),
    ],
)
def test_what_json_lacks(value: object, text: str) -> None:
    """Dates, times and sets have forms of their own."""
    assert ejson.dumps(value) == text
    assert ejson.loads(text) == value


def test_a_table_that_looks_like_a_date_only_at_first_is_none() -> None:
    """The forms count with exactly their keys."""
    assert ejson.loads('{"$date": 1, "other": 2}') == {"$date": 1, "other": 2}


def test_how_long_a_message_may_be() -> None:
    """64 KiB of characters; 8 KiB without a session, with another code."""
    text = json.dumps({"method": "x", "pad": "p" * 60_000})
    assert session.parse(text, authenticated=True)["method"] == "x"
    with pytest.raises(session.TooBig) as anonymous:
        session.parse(text, authenticated=False)
    with pytest.raises(session.TooBig) as known:
        session.parse(json.dumps({"method": "x", "pad": "p" * 65_536}), authenticated=True)

    assert (anonymous.value.code, known.value.code) == (1007, 1009)
    long = json.dumps({"method": "filesystem.file_receive", "pad": "p" * 90_000})
    assert session.parse(long, authenticated=True)["method"] == "filesystem.file_receive"


@pytest.mark.parametrize("text", ["[]", "7", "{"])
def test_what_is_no_message(text: str) -> None:
    """A list, a number, no JSON."""
    with pytest.raises(ValueError):
        session.parse(text, authenticated=True)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"jsonrpc": "2.0", "method": "a", "id": 1}, None),
        ({"jsonrpc": "2.0", "method": "a"}, None),
        ({"method": "a"}, "Missing 'jsonrpc' member"),
        ({"jsonrpc": "1.0", "method": "a"}, "'jsonrpc' member must be of type string and must be "
         "exactly '2.0'"),
        ({"jsonrpc": "2.0"}, "Missing 'method' member"),
        ({"jsonrpc": "2.0", "method": 7}, "'method' member must be of type string"),
        ({"jsonrpc": "2.0", "method": "a", "params": {}}, "'params' member must be of type array"),
        ({"jsonrpc": "2.0", "method": "a", "id": []}, "'id' member must be of type null, string "
         "or number"),
    ],
)  # fmt: skip
def test_what_is_a_request(message: dict[str, object], why: str | None) -> None:
    """JSON-RPC's rules, in the middleware's words."""
    assert rpc.refusal(message) == why
