"""Frames of the WebSocket protocol (RFC 6455): bytes in, messages out, and back."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL = 1000
UNSUPPORTED = 1003
BAD_TEXT = 1007
TOO_BIG = 1009
# What the middleware's own web server takes at most, before the middleware sees it.
LARGEST = 4 << 20
_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


class ProtocolError(Exception):
    """The other side broke the rules.

    Attributes:
        code: the closing code that says so.
    """

    def __init__(self, reason: str, code: int = 1002) -> None:
        super().__init__(reason)
        self.code = code


class Gone(Exception):
    """The other side is gone."""


def read_all(stream: BinaryIO, size: int) -> bytes:
    """Exactly so many bytes.

    Raises:
        Gone: the other side is, before that.
    """
    try:
        data = stream.read(size)
    except (OSError, ValueError) as error:
        raise Gone from error
    if len(data) < size:
        raise Gone
    return data


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message, or a control frame.

    Attributes:
        kind: :data:`TEXT`, :data:`BINARY`, :data:`CLOSE`, :data:`PING` or :data:`PONG`.
        data: its bytes.
    """

    kind: int
    data: bytes


def accept_key(key: str) -> str:
    """The answer to a client's ``Sec-WebSocket-Key``."""
    digest = hashlib.sha1(key.encode() + _KEY, usedforsecurity=False)
    return base64.b64encode(digest.digest()).decode()


def encode(kind: int, data: bytes, mask: bytes = b"") -> bytes:
    """One unfragmented frame.

    Args:
        kind: the opcode.
        data: the payload.
        mask: four bytes, from a client; none from a server.
    """
    flag = 0x80 if mask else 0
    size = len(data)
    if size < 126:
        head = struct.pack("!BB", 0x80 | kind, flag | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | kind, flag | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | kind, flag | 127, size)
    return head + mask + (_masked(data, mask) if mask else data)


def closing(code: int, reason: str, mask: bytes = b"") -> bytes:
    """A closing frame; the reason is cut at what fits (RFC 6455, 5.5)."""
    return encode(CLOSE, struct.pack("!H", code) + reason.encode()[:123], mask)


def read_closing(data: bytes) -> tuple[int | None, str | None]:
    """Code and reason of a closing frame's payload."""
    if len(data) < 2:
        return None, None
    return struct.unpack("!H", data[:2])[0], data[2:].decode("utf-8", "replace")


def read_message(read: Callable[[int], bytes], control: Callable[[Message], None]) -> Message:
    """The next text, binary or closing message.

    Args:
        read: reads exactly so many bytes, or raises :class:`Gone`.
        control: is given pings and pongs that come between.

    Raises:
        Gone: the other side is.
        ProtocolError: the frames are wrong, or the message is too big.
    """
    kind, size = 0, 0
    parts: list[bytes] = []
    while True:
        final, code, data = _read_frame(read)
        if code >= CLOSE:
            if code == CLOSE:
                return Message(CLOSE, data)
            control(Message(code, data))
            continue
        if (code == CONTINUATION) != bool(parts):
            raise ProtocolError("a fragment out of order")
        kind = code or kind
        parts.append(data)
        size += len(data)
        if size > LARGEST:
            raise ProtocolError("Message size exceeds limit", TOO_BIG)
        if final:
            return Message(kind, b"".join(parts))


def _read_frame(read: Callable[[int], bytes]) -> tuple[bool, int, bytes]:
    first, second = read(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack("!H", read(2))
    elif size == 127:
        (size,) = struct.unpack("!Q", read(8))
    if size > LARGEST:
        raise ProtocolError("Message size exceeds limit", TOO_BIG)
    mask = read(4) if second & 0x80 else b""
    data = read(size) if size else b""
    return bool(first & 0x80), first & 0x0F, _masked(data, mask) if mask else data


def _masked(data: bytes, mask: bytes) -> bytes:
    size = len(data)
    whole = (mask * (size // 4 + 1))[:size]
    number = int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")
    return number.to_bytes(size, "big")
