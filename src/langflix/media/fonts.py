"""Which font libass draws with: one that has Latin, Hangul, Kana and Han."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: A directory, the file that must be in it, and the family's name, best first.  The images carry
#: the first (Debian's ``fonts-wqy-microhei``, 5 MB, all four scripts); the others are found on
#: people's machines, and the last has Latin only.
KNOWN = (
    ("/usr/share/fonts/truetype/wqy", "wqy-microhei.ttc", "WenQuanYi Micro Hei"),
    ("/usr/share/fonts/opentype/noto", "NotoSansCJK-Regular.ttc", "Noto Sans CJK KR"),
    ("/usr/share/fonts/truetype/nanum", "NanumGothic.ttf", "NanumGothic"),
    ("/usr/share/fonts/truetype/dejavu", "DejaVuSans.ttf", "DejaVu Sans"),
)


@dataclass(frozen=True, slots=True)
class Font:
    """A family and the directory that holds it, whose name needs no quoting in a filter."""

    family: str
    directory: Path


def find(root: Path = Path("/")) -> Font | None:
    """Return the best font below ``root``, or None when there is none of the known ones."""
    for directory, file, family in KNOWN:
        place = root / directory.removeprefix("/")
        if (place / file).is_file():
            return Font(family, place)
    return None
