"""The page on security names tests that there are."""

from __future__ import annotations

import re

from tests.unit.docs import pages

PAGE = pages.read(pages.DOCS / "security.md")
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_every_threat_has_what_holds_it_and_a_test() -> None:
    """No cell of a table is empty, and the last one names at least one test."""
    rows = [row for table in pages.tables(PAGE) for row in table]
    assert len(rows) > 20
    for row in rows:
        assert all(cell.strip() for cell in row), row
        assert NAMED.findall(row[-1]), row


def test_every_test_that_is_named_is_there() -> None:
    """By file and function, wherever below the folder of tests the file is."""
    named = NAMED.findall(PAGE)
    assert len(named) > 20
    for file, function in named:
        texts = [path.read_text("utf-8") for path in (pages.ROOT / "tests").rglob(file)]
        assert any(f"def {function}(" in text for text in texts), f"{file}::{function}"
