"""What strangers send who want a server to end: byte for byte, as no client would."""

from __future__ import annotations

import gzip
import random
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress

#: Gives the pieces of a request to a path.
Attack = Callable[[str], Iterator[bytes]]
BLOCK = b"x" * 65536
#: Who has not answered by then does not answer.
SILENT_S = 15


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    """A request's first lines."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: films", *lines, "", ""]).encode()


def chunks(size: int, pieces: int) -> Iterator[bytes]:
    """Pieces of a chunked body that never ends."""
    return (f"{size:x}\r\n".encode() + b"x" * size + b"\r\n" for _ in range(pieces))


def send(
    connect: Callable[[], AbstractContextManager[socket.socket]], data: Iterable[bytes]
) -> str:
    """Send all that is taken; the answer, or nothing from a peer that would not talk."""
    with suppress(ConnectionResetError), connect() as plain:
        plain.settimeout(SILENT_S)
        with suppress(OSError):  # whoever refuses need not listen to the rest
            for piece in data:
                plain.sendall(piece)
        with suppress(TimeoutError):
            return received(plain)
    return ""


def received(plain: socket.socket) -> str:
    """What was answered; nothing when the peer closed without a word."""
    with suppress(ConnectionResetError):
        return plain.recv(65536).decode()
    return ""


def large(path: str) -> Iterator[bytes]:
    """300 MB in one piece."""
    yield head(path, "Content-Length: 300000000", "Content-Type: application/json")
    for _ in range(300000000 // len(BLOCK)):
        yield BLOCK


def chunked(path: str) -> Iterator[bytes]:
    """95 MB in chunks, whose sum nothing tells."""
    yield head(path, "Transfer-Encoding: chunked", "Content-Type: application/json")
    yield from chunks(len(BLOCK), 95_000_000 // len(BLOCK))


def small_chunks(path: str) -> Iterator[bytes]:
    """A megabyte in chunks of a byte."""
    yield head(path, "Transfer-Encoding: chunked", "Content-Type: application/json")
    for _ in range(1024):
        yield b"".join(chunks(1, 1024))


def nested(path: str) -> Iterator[bytes]:
    """As many arrays in each other as fit into what is taken."""
    body = b"[" * 14_000
    yield head(path, f"Content-Length: {len(body)}", "Content-Type: application/json") + body


def bomb(path: str) -> Iterator[bytes]:
    """Ten megabytes of nothing that were ten kilobytes."""
    body = gzip.compress(bytes(10 << 20))
    lines = (f"Content-Length: {len(body)}", "Content-Encoding: gzip", "Content-Type: text/json")
    yield head(path, *lines) + body


def headers(path: str) -> Iterator[bytes]:
    """Headers without end."""
    yield head(path, method="GET")[:-2]
    for number in range(20_000):
        yield f"X-{number}: {'v' * 50}\r\n".encode()


def query(path: str) -> Iterator[bytes]:
    """A megabyte of query."""
    yield f"GET {path}?".encode()
    for _ in range(16):
        yield BLOCK


def noise(path: str) -> Iterator[bytes]:
    """A request with some of its bytes changed, which ones is always the same."""
    rng = random.Random(path)
    good = bytearray(head(path, "Content-Length: 2", "Content-Type: application/json") + b"{}")
    for _ in range(12):
        good[rng.randrange(len(good))] = rng.randrange(256)
    yield bytes(good) + b"\r\n\r\n"


ATTACKS = [large, chunked, small_chunks, nested, bomb, headers, query, noise]
