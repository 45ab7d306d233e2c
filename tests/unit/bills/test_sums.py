"""The sums of bills: what is signed, and where a folder differs from it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.unit.bills import place

from slipway.bills.sums import differences, ids_of, image_files, read_sums, sums_text
from slipway.errors import BuildError


def test_sums_are_read_as_they_are_written() -> None:
    """Sorted by name, in the form of sha256sum; the same whatever the order of the files."""
    text = sums_text({"b.json": "2", "a.json": "1"})

    one, two = (hashlib.sha256(data).hexdigest() for data in (b"1", b"2"))
    assert text == f"{one}  a.json\n{two}  b.json\n"
    assert sums_text({"a.json": "1", "b.json": "2"}) == text
    assert read_sums(text, "it") == {"a.json": one, "b.json": two}


@pytest.mark.parametrize(
    "line", ["", "nonsense", f"{'a' * 64}  ../b.json", f"{'a' * 63}  b.json", f"{'a' * 64}  -b"]
)
def test_what_is_no_sum_is_refused(line: str) -> None:
    """Signed or not; the line is named, and no file of another folder."""
    with pytest.raises(BuildError, match="it has no sums of bills") as caught:
        read_sums(f"{'a' * 64}  a.json\n{line}\n", "it")
    assert caught.value.details == (f"line 2: {line!r}",)
    with pytest.raises(BuildError, match="it has no sums of bills"):
        read_sums("", "it")


def test_every_difference_is_named() -> None:
    """Gone, changed, and there without having been signed."""
    signed = {"a": "1", "b": "2", "c": "3"}

    assert differences(signed, dict(signed)) == []
    assert differences(signed, {"b": "2", "c": "4", "d": "5"}) == [
        "a is missing",
        "c was changed",
        "d is there and was not signed",
    ]


def test_an_images_sums_are_its_ids(tmp_path: Path) -> None:
    """Of its configuration with a graph driver, of its manifest with containerd's store."""
    image = place.image_at(tmp_path)

    files = image_files([image])
    ids = ids_of(read_sums(sums_text({**files, "api.cdx.json": "{}"}), "it"))

    assert ids == {"api": (image.config_digest, image.manifest_digest)}
