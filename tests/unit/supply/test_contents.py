"""What was read of a package once is known from then on."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from slipway.supply import contents
from slipway.supply.contents import Contents, Shelf
from slipway.supply.elf import Elf

SHA = "a" * 64
SAMPLE = Contents(
    {"/usr/bin/a": Elf(("libb.so.1",), "", ("/x",), None, "/ld"), "/b.so": Elf(runpath=())},
    frozenset({"/usr/bin/a", "/b.so"}),
    {"/usr/lib/libb.so.1": "libb.so.1.2"},
)


def test_read_once(tmp_path: Path) -> None:
    """The second question is answered without reading the package."""
    asked = []

    def read() -> Contents:
        asked.append(1)
        return SAMPLE

    for _ in range(2):
        assert Shelf(tmp_path).get(SHA, read) == SAMPLE

    assert len(asked) == 1
    assert Shelf(tmp_path).has(SHA)
    assert not Shelf(tmp_path).has("b" * 64)


def test_a_damaged_note_is_made_anew(tmp_path: Path) -> None:
    """What can't be read back is read from the package again."""
    shelf = Shelf(tmp_path)
    shelf.get(SHA, lambda: SAMPLE)
    (note,) = tmp_path.rglob("*.json")
    note.write_text("{")

    assert shelf.get(SHA, lambda: SAMPLE) == SAMPLE
    assert contents.from_json(note.read_text()) == SAMPLE


@given(st.text())
def test_any_text_is_no_exception(text: str) -> None:
    """Whatever stands in a note, it is contents or nothing."""
    contents.from_json(text)


def test_without_what_is_dropped() -> None:
    """Dropped files, and links, are as if they weren't there."""
    left = SAMPLE.without(["usr/**"])

    assert set(left.elves) == {"/b.so"}
    assert left.paths == {"/b.so"}
    assert left.links == {}
