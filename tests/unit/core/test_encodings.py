"""Texts are read and written as UTF-8, whatever the machine's locale is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# Position of the encoding among the arguments of each.
_TEXTS = {"read_text": 0, "write_text": 1}


def unnamed(source: str) -> list[int]:
    """The lines that read or write a text in an encoding that nobody names."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        named = any(word.arg == "encoding" for word in node.keywords)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _TEXTS:
            if not named and len(node.args) <= _TEXTS[node.func.attr]:
                found.append(node.lineno)
        elif isinstance(node.func, ast.Name) and node.func.id == "open" and not named:
            mode = node.args[1] if len(node.args) > 1 else ast.Constant("r")
            if not (isinstance(mode, ast.Constant) and "b" in str(mode.value)):
                found.append(node.lineno)
    return found


@pytest.mark.parametrize("room", ["src/slipway", "src/langflix", "tasks"])
def test_every_encoding_is_named(room: str) -> None:
    """Without a name it is the locale's, in which a path or a word may have no letters."""
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files
        for line in unnamed(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('p.read_text()\np.read_text("utf-8")\np.read_text(encoding="utf-8")', [1]),
        ('p.write_text(t)\np.write_text(t, "utf-8")', [1]),
        ('open(p)\nopen(p, "rb")\nopen(p, "w", encoding="utf-8")\nopen(p, "a")', [1, 4]),
    ],
)
def test_what_is_looked_for(source: str, lines: list[int]) -> None:
    """By place or by name."""
    assert unnamed(source) == lines
