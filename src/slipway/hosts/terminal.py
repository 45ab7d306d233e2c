"""This process's standard input and output as bytes, for commands that pass them through."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from typing import TextIO

_SLICE_S = 0.25
_READ_BYTES = 1 << 16


def piped_input() -> Iterator[bytes]:
    """Standard input piece by piece, and an empty piece whenever there is none for a moment.

    The empty pieces let the reader notice that the command ended, though input goes on.
    """
    source = sys.stdin.fileno()
    while True:
        ready, _, _ = select.select([source], [], [], _SLICE_S)
        if not ready:
            yield b""
            continue
        piece = os.read(source, _READ_BYTES)
        if not piece:
            return
        yield piece


def write_out(stream: TextIO) -> Callable[[bytes], None]:
    """A function that writes bytes to a text stream's file at once."""

    def write(piece: bytes) -> None:
        stream.buffer.write(piece)
        stream.buffer.flush()

    return write
