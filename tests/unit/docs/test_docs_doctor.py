"""The page of findings has each code that there is, and no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.unit.docs import pages

PAGE = pages.read(pages.DOCS / "reference/doctor.md")
SOURCE = pages.ROOT / "src/slipway"
#: The codes that are chosen between where a finding is made of an error.
CHOSEN = {"unreachable", "host"}


def _texts(node: ast.AST) -> Iterator[str]:
    """What a code may be: a text, or one of two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))


def _made(path: Path) -> Iterator[str]:
    """The codes of findings that a module makes, and the causes that it names."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        if name in ("Finding", "by"):
            yield from _texts(node.args[0])


def test_every_code_has_its_row() -> None:
    """And every row its code; the causes of errors are codes, too."""
    rows = [row[0].strip("`") for table in pages.tables(PAGE) for row in table]
    rooms = ("plan", "app", "hosts")
    made = {
        code for room in rooms for path in (SOURCE / room).rglob("*.py") for code in _made(path)
    }
    # Causes that a table of causes pairs with what tells them.
    made |= CHOSEN | {"host-key", "login"}
    assert len(rows) == len(set(rows))
    assert set(rows) == made
    assert len(rows) > 40
