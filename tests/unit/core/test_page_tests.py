"""Tests of pages keep no element of a page, which may draw itself anew at any moment."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
#: What gives an element of a page.
FINDERS = {"find_element", "find_elements", "active_element"}
#: Where an element is found and used in one go.
HELPER = "browser.py"


def finders(source: str) -> set[str]:
    """What of :data:`FINDERS` a module uses."""
    nodes = ast.walk(ast.parse(source))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} & FINDERS


def test_elements_are_found_in_one_place() -> None:
    """Everywhere else selectors are kept, and what is done with an element is done by a helper."""
    users = {path.name for path in TESTS.rglob("*.py") if finders(path.read_text("utf-8"))}
    assert users == {HELPER}


@pytest.mark.parametrize("line", ["c.find_element(By.ID, 'x').text", "c.switch_to.active_element"])
def test_a_test_that_finds_for_itself_would_be_seen(line: str) -> None:
    """Finding is seen wherever it stands."""
    assert len(finders(f"def test(c):\n    assert {line}\n")) == 1
