"""Entries as what the script that writes them gets: words, and an archive of contents."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from slipway.ledger.entries import Directory, Entry, File, Link, Source, Text, entry_json
from slipway.ledger.folder import packed

PATHS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)
SOURCES = st.builds(Source, st.sampled_from(["config", "secret"]), st.text(), st.integers(0, 9))
MODES = st.integers(0, 0o777)
OWNERS = st.none() | st.integers(0, 2**16)
ENTRIES = st.lists(
    st.builds(File, PATHS, SOURCES, MODES, OWNERS, st.booleans())
    | st.builds(Directory, PATHS, MODES, OWNERS)
    | st.builds(Link, PATHS, PATHS | st.just("")),
    max_size=8,
)


def contents(source: Source) -> bytes:
    """Something that differs."""
    return f"{source} canary".encode()


def unpacked(words: Sequence[str], data: bytes) -> list[tuple[Any, ...]]:
    """What the script understands: for each entry its words, with its content in their place."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        held = {
            member.name: extracted.read()
            for member in archive.getmembers()
            if (extracted := archive.extractfile(member)) is not None
        }
    assert len(words) % 5 == 0
    found = []
    for at in range(0, len(words), 5):
        kind, path, mode, owner, last = words[at : at + 5]
        has_content = kind in ("file", "fresh")
        found.append((kind, path, mode, owner, held.pop(last) if has_content else last))
    assert held == {}
    return found


def meant(entry: Entry) -> tuple[Any, ...]:
    """What an entry says, but for the number of a directory."""
    if isinstance(entry, Link):
        return ("link" if entry.target else "unlink", entry.path, "-", "-", entry.target or "-")
    assert not isinstance(entry, Text)
    owner = "-" if entry.owner is None else str(entry.owner)
    mode = f"{entry.mode:04o}"
    if isinstance(entry, Directory):
        return ("directory", entry.path, mode, owner)
    return ("fresh" if entry.fresh else "file", entry.path, mode, owner, contents(entry.source))


@given(ENTRIES)
def test_what_is_packed_comes_out(entries: list[Entry]) -> None:
    """Kind, path, mode, owner and content of each entry arrive, in order, and nothing else."""
    words, data = packed(entries, contents)
    found = unpacked(words, data)
    assert [one[:4] if one[0] == "directory" else one for one in found] == [
        meant(entry) for entry in entries
    ]


@given(ENTRIES)
def test_no_content_is_among_the_words(entries: list[Entry]) -> None:
    """What a file holds reaches the host on standard input only, whatever it is."""
    words, _ = packed(entries, lambda source: b"canary-5f2c")
    assert not [word for word in words if "canary-5f2c" in word]


@given(ENTRIES)
def test_entries_in_json_show_no_content(entries: list[Entry]) -> None:
    """A printed entry names its source, its mode in octal digits, and differs from any other."""
    shown = [entry_json(entry) for entry in entries]
    for entry, form in zip(entries, shown, strict=True):
        assert form["path"] == entry.path
        if isinstance(entry, File):
            assert form["source"] == str(entry.source)
        if isinstance(entry, (File, Directory)):
            assert int(str(form["mode"]), 8) == entry.mode
            assert form["owner"] == entry.owner
    pairs = list(zip(entries, shown, strict=True))
    assert all((a == b) == (x == y) for a, x in pairs for b, y in pairs if _told(a) and _told(b))


def _told(entry: Entry) -> bool:
    """Whether its source's name can't be taken for a name and a version."""
    return not isinstance(entry, File) or "/" not in entry.source.name
