"""Links lead somewhere, examples can be read, both languages say the same."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from tests.unit.docs import pages

from slipway.hosts.config import parse_hosts
from slipway.stack.yamlfile import Findings, lint

LANGUAGES = {"console", "json", "sh", "text", "toml", "yaml"}
GUIDES = pages.DOCS / "guides"
NAMES = [str(page.relative_to(pages.ROOT)) for page in pages.PAGES]


@pytest.mark.parametrize("page", pages.PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Each relative link names a file of the repository, and each anchor a heading of it."""
    for link in pages.links(pages.read(page)):
        if re.match(r"https?://", link):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{link}: there is no {target}"
        if anchor:
            assert anchor in pages.anchors(pages.read(file)), f"{link}: there is no such heading"


@pytest.mark.parametrize("page", pages.PAGES, ids=NAMES)
def test_every_page_can_be_found(page: Path) -> None:
    """Each page but the front page is linked from another one, or lies in a linked folder."""
    if page == pages.PAGES[0]:
        return
    linked = {
        (other.parent / link.partition("#")[0]).resolve()
        for other in pages.PAGES
        if other != page
        for link in pages.links(pages.read(other))
        if not re.match(r"https?://|#", link)
    }
    assert page in linked or page.parent in linked


@pytest.mark.parametrize("page", pages.PAGES, ids=NAMES)
def test_every_example_can_be_read(page: Path) -> None:
    """TOML, JSON and YAML examples are that, and lines of a console begin with a prompt."""
    for block in pages.blocks(pages.read(page)):
        assert block.language in LANGUAGES | {""}, block
        if block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "yaml":
            assert lint(block.text) == Findings()
        elif block.language == "console":
            assert all(line.startswith("$ ") for line in block.text.splitlines()), block.text


def test_every_example_of_a_host_is_one() -> None:
    """The tables of hosts that pages show are accepted in deploy/hosts.toml."""
    shown = [
        block.text
        for page in pages.PAGES
        for block in pages.blocks(pages.read(page))
        if block.language == "toml" and "[host." in block.text
    ]
    assert len(shown) >= 3
    for text in shown:
        name = re.findall(r"\[host\.([^]]+)\]", text)[0]
        head = "" if "format" in text else f'format = 1\ndefault = "{name}"\n'
        assert name in parse_hosts(head + text, home="/home/you").entries


@pytest.mark.parametrize("guide", ["truenas", "app-only"])
def test_both_languages_have_the_same_shape(guide: str) -> None:
    """The Korean guide has the English one's headings, examples, steps and emphasis, in order."""
    english, korean = (pages.read(GUIDES / f"{guide}{end}.md") for end in ("", ".ko"))

    def shape(text: str) -> list[object]:
        marks = re.findall(r"^ *(?:\d+\.|-)(?= )", pages.prose(text), re.MULTILINE)
        levels = [level for level, _ in pages.headings(text)]
        return [levels, marks, pages.blocks(text), text.count("**"), len(pages.links(text))]

    assert shape(korean) == shape(english)
    literal = re.compile(r"`[^`\n]+`")
    assert sorted(literal.findall(pages.prose(korean))) == sorted(
        literal.findall(pages.prose(english))
    )
