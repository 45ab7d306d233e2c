"""Several answers in one are read as they were printed, or refused."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import HostError
from slipway.hosts.sections import sections

NAMES = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1)
FOUND = st.lists(st.tuples(NAMES, st.binary(max_size=200)), max_size=6)


def printed(found: list[tuple[str, bytes]]) -> bytes:
    """What the scripts' functions print."""
    return b"".join(b"%s %d\n%s\n" % (name.encode(), len(data), data) for name, data in found)


@given(FOUND)
def test_sections_come_back(found: list[tuple[str, bytes]]) -> None:
    """Whatever contents hold, headings included, each comes back under its own name."""
    assert sections(printed(found), where="nas") == found


@given(FOUND)
def test_packed_ones_come_back_too(found: list[tuple[str, bytes]]) -> None:
    """One that is cut short is refused, wherever that is."""
    data = gzip.compress(printed(found))
    assert sections(data, where="nas") == found
    with pytest.raises(HostError, match="nas answered what this version"):
        sections(data[:-1], where="nas")


@given(FOUND, st.integers(min_value=1))
def test_what_breaks_off_is_refused(found: list[tuple[str, bytes]], cut: int) -> None:
    """An answer that is cut short is never taken for a shorter one, but at a section's end."""
    data = printed(found)
    ends = {len(printed(found[:count])) for count in range(len(found) + 1)}
    short = data[: -1 - cut % max(len(data), 1)]
    if len(short) in ends:
        assert sections(short, where="nas") == found[: sorted(ends).index(len(short))]
        return
    with pytest.raises(HostError, match="nas answered what this version"):
        sections(short, where="nas")


@given(st.binary())
def test_nothing_is_a_traceback(data: bytes) -> None:
    """Whatever a host prints is read or refused."""
    try:
        read = sections(data, where="nas")
    except HostError as error:
        assert error.hint
    else:
        assert all(name.strip() for name, _ in read)
