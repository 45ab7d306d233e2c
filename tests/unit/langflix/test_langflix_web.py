"""The page's files hold together and ask nobody else."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[3] / "src" / "langflix" / "web"
PAGE = (WEB / "index.html").read_text("utf-8")
MODULES = sorted(WEB.glob("*.js"))
TEXTS = sorted(path for path in WEB.iterdir() if path.suffix != ".png")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_file_names_another_host(path: Path) -> None:
    """Nothing is loaded from elsewhere; the XML name space is the only address."""
    addresses = set(re.findall(r"https?://[^\s\"']+", path.read_text("utf-8")))
    assert addresses <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_imported_modules_exist(path: Path) -> None:
    """Every import names a module that is there."""
    for name in re.findall(r"from \"\./([^\"]+)\"", path.read_text("utf-8")):
        assert (WEB / name).is_file(), name


def test_what_the_page_loads_exists() -> None:
    """Style sheet, icon and module are beside the page, and nothing is inline."""
    for name in re.findall(r"(?:href|src)=\"([^\"#]+)\"", PAGE):
        assert (WEB / name).is_file(), name
    assert "<style" not in PAGE
    assert not re.search(r"<script(?![^>]*src=)", PAGE)
    assert not re.search(r"\son\w+=", PAGE)


def test_a_home_screen_gets_an_icon() -> None:
    """The manifest's icons are beside it, and the PNG has the size that it gives."""
    manifest = json.loads((WEB / "manifest.webmanifest").read_text("utf-8"))
    sizes = {icon["src"]: icon["sizes"] for icon in manifest["icons"]}
    assert sizes.keys() == {"icon.svg", "icon.png"}
    width, height = struct.unpack(">II", (WEB / "icon.png").read_bytes()[16:24])
    assert sizes["icon.png"] == f"{width}x{height}"
    assert 'rel="apple-touch-icon" href="icon.png"' in PAGE


def test_ids_that_modules_ask_for_are_on_the_page() -> None:
    """No module looks for an element that the page lacks."""
    asked = {
        name
        for path in MODULES
        for name in re.findall(r"byId\(\"([^\"]+)\"\)", path.read_text("utf-8"))
    }
    assert asked
    assert asked <= set(re.findall(r"\bid=\"([^\"]+)\"", PAGE))


def _words(language: str) -> set[str]:
    text = (WEB / "i18n.js").read_text("utf-8")
    block = text.split(f"  {language}: {{")[1].split("\n  },")[0]
    return {
        quoted or plain for quoted, plain in re.findall(r'^    (?:"([^"]+)"|(\w+)):', block, re.M)
    }


def test_every_word_is_there_in_both_languages() -> None:
    """English and Korean have the same words, and every word that is asked for is among them."""
    english, korean = _words("en"), _words("ko")
    assert len(english) > 50
    assert english == korean
    asked = set(re.findall(r'data-i18n(?:-label)?="([^"]+)"', PAGE))
    for path in MODULES:
        asked |= set(re.findall(r'\bt\("([^"]+)"', path.read_text("utf-8")))
    assert asked <= english
    assert asked >= {"make", "lessons", "uploading"}


def test_every_field_of_the_page_has_a_name_for_screen_readers() -> None:
    """Each input and choice stands inside a label, or is labelled by another element."""
    inside = re.sub(r"<label>.*?</label>", "", PAGE, flags=re.S)
    assert not re.findall(r"<(?:input|select|textarea)\b", inside)
    assert re.search(r"<progress[^>]*aria-label", PAGE, re.S)
