"""Tar headers as Go writes them."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import BuildError
from slipway.images.tarheader import DIRECTORY, END, FILE, SYMLINK, Entry, header, padding

_names = st.one_of(
    st.text("abc/é漢 .", min_size=1, max_size=300),
    st.integers(1, 300).map(lambda n: "/" + "n" * n),
).map(lambda text: "/n" + text.strip("/ ."))


@given(
    _names,
    st.integers(0, 0o7777),
    st.sampled_from([0, 568, 2097151, 2097152, 4294967294]),
    st.sampled_from([0, 1, 512, 0o77777777777, 0o77777777777 + 1]),
    st.sampled_from(["root", "ü", "u" * 33]),
)
def test_a_reader_gets_back_what_was_written(
    name: str, mode: int, uid: int, size: int, uname: str
) -> None:
    """Python's tar reader finds every field of a header, however long or large."""
    blocks = header(Entry(name.encode(), FILE, mode, size, uid=uid, uname=uname.encode()))
    with tarfile.open(fileobj=io.BytesIO(blocks + END)) as archive:
        read = archive.next()
    assert read is not None
    assert len(blocks) % 512 == 0
    assert (read.name, read.mode, read.uid, read.size) == (name.rstrip("/"), mode, uid, size)
    assert (read.uname, read.gname, read.mtime) == (uname, "root", 0)


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        (b"/" + b"n" * 99, 1),
        (b"/" + b"n" * 100, 3),
        (b"/p/" + b"n" * 100, 1),
        (b"/p/" + b"n" * 101, 3),
        (b"/" + b"p" * 154 + b"/n", 1),
        (b"/" + b"p" * 155 + b"/n", 3),
        ("/é".encode(), 3),
        (b"/" + b"p/" * 300 + b"n", 4),
    ],
)
def test_pax_is_used_only_where_ustar_cannot_hold_the_name(name: bytes, blocks: int) -> None:
    """A name that fits a field, or splits at a slash, needs one block; others need PAX."""
    assert len(header(Entry(name, DIRECTORY, 0o755))) == 512 * blocks


def test_a_long_link_target_needs_pax_even_when_the_name_splits() -> None:
    """With PAX in use the whole name is recorded too."""
    blocks = header(Entry(b"/p/" + b"n" * 100, SYMLINK, 0o777, link=b"t" * 101))
    assert b"linkpath=" + b"t" * 101 + b"\n" in blocks
    assert b" path=/p/" + b"n" * 100 + b"\n" in blocks


def test_what_no_header_can_say_is_refused() -> None:
    """A mode beyond twelve bits or a negative owner is refused."""
    for entry in (Entry(b"/a", FILE, 0o10000), Entry(b"/a", FILE, 0, uid=-1)):
        with pytest.raises(BuildError, match="can't be written"):
            header(entry)


def test_padding_fills_the_last_block() -> None:
    """Content is filled up to whole blocks, and whole blocks are left alone."""
    assert [padding(size) for size in (0, 1, 511, 512, 513)] == [0, 511, 1, 0, 511]
