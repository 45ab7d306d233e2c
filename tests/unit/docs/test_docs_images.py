"""The pictures in the docs are those that the tests make."""

from __future__ import annotations

import re
import struct

from tests.pictures import PICTURES, SHOWN
from tests.unit.docs import pages

_IMAGE = re.compile(r"!\[([^]]*)\]\(([^)\s]+)\)")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_BYTES = 200_000
IMAGES = [
    (page, words, (page.parent / target).resolve())
    for page in pages.PAGES
    for words, target in _IMAGE.findall(pages.prose(pages.read(page)))
]


def test_every_picture_that_is_shown_is_one_that_a_test_makes() -> None:
    """Each image of a page is a file of docs/images that the shared list names, and has words."""
    assert IMAGES
    for page, words, path in IMAGES:
        assert path.parent == SHOWN, f"{page.name}: {path.name} lies elsewhere"
        assert path.name in PICTURES, f"{page.name}: no test makes {path.name}"
        assert words, f"{page.name}: {path.name} has no words for those who don't see it"


def test_every_picture_is_there_and_used() -> None:
    """What is listed, what lies in docs/images and what pages show is the same."""
    assert {path.name for path in SHOWN.iterdir()} == set(PICTURES)
    assert {path.name for _, _, path in IMAGES} == set(PICTURES)


def test_every_picture_is_a_png_of_its_size() -> None:
    """Each is as wide and high as the list says, and small enough to be loaded anywhere."""
    for name, picture in PICTURES.items():
        data = (SHOWN / name).read_bytes()
        assert data.startswith(_SIGNATURE), name
        assert struct.unpack(">II", data[16:24]) == picture.pixels, name
        assert len(data) < _MOST_BYTES, f"{name}: {len(data)} bytes"
