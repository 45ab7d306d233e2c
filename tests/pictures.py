"""The pictures of the page that the docs show, and where the test that makes them puts them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Made anew by each run of tests/functional/test_page.py.
MADE = ROOT / ".slipway" / "screenshots"
#: Copies of them, for the docs.
SHOWN = ROOT / "docs" / "images"


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        size: width and height of the page in CSS pixels.
        language: of the page.
        theme: its colours.
        lesson: whether a lesson is open; else the page is as it is found.
        scale: how many pixels of the picture a CSS pixel makes up.
    """

    size: tuple[int, int]
    language: str
    theme: str
    lesson: bool
    scale: float = 1

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of the picture itself."""
        width, height = self.size
        return round(width * self.scale), round(height * self.scale)


#: By the file's name.
PICTURES = {
    "library-desktop.png": Picture((1240, 640), "en", "light", lesson=False, scale=0.75),
    "lesson-desktop.png": Picture((1240, 840), "en", "light", lesson=True, scale=0.75),
    "upload-phone.png": Picture((390, 844), "en", "light", lesson=False),
    "lesson-phone-ko-dark.png": Picture((390, 844), "ko", "dark", lesson=True),
}
