"""What YAML readers differ on is pointed out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.stack.render import json_as_yaml
from slipway.stack.yamlfile import lint

TRAPS = ["22:22", "0755", "1:30", "0o17", "0x1F", "1_000", "yes", "no", "on", "off", "Yes",
         "2026-01-31", "1e3", ".5", ".inf", ".nan", "0b11", "+.5e2"]  # fmt: skip


@pytest.mark.parametrize("scalar", TRAPS)
def test_ambiguous_scalar_is_pointed_out_with_its_place(scalar: str) -> None:
    """A scalar that YAML 1.1 and 1.2 read differently is a warning that names path and line."""
    (found,) = lint(f"a:\n  b: [x, {scalar}]\n").warnings
    assert str(found).startswith(f"a.b[1]: {scalar} is ")
    assert "line 2" in str(found)


@pytest.mark.parametrize("scalar", TRAPS)
def test_quotes_make_it_a_text(scalar: str) -> None:
    """In quotes every scalar is the text it shows."""
    assert lint(f"a: \"{scalar}\"\nb: '{scalar}'\n").warnings == ()


def test_plain_values() -> None:
    """Numbers, booleans, nothing, ordinary texts, anchors and Compose's tags need no quotes."""
    text = "{a: 1, b: -2, c: 0.5, d: true, e: False, f: null, g: ~, h: 8080:80, i: 1m30s, j: 1.2.3}"
    assert lint(text).warnings == ()
    assert (
        lint("x: &x {a: 1}\ny:\n  <<: [*x]\n  b: !reset null\n  c: !override [1]\n").warnings == ()
    )


def test_all_at_once_and_anchors_once() -> None:
    """Every scalar of a file is named; one that an anchor shares, a single time."""
    assert len(lint("a: yes\nb: 0755\nc: !foo x\n").warnings) == 3
    assert len(lint("a: &a [yes]\nb: *a\nc: *a\n").warnings) == 1


@pytest.mark.parametrize("text", ["a: [", "\t- x", "a: b: c", "[" * 5000, "\x00"])
def test_broken_yaml_is_a_sentence(text: str) -> None:
    """Why a text is no YAML is said; nothing is raised."""
    (said,) = lint(text).broken
    assert "is no YAML" in said or "too deeply" in said


def test_what_has_no_end_is_told() -> None:
    """A small file that stands for millions of values, or for itself, is found out quickly."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert lint("\n".join(lines)).endless
    assert lint("&a [*a]").endless


TEXT = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_a_rendered_file_is_unambiguous(value: object) -> None:
    """A file as slipway renders it means the same to every reader, whatever its characters."""
    assert lint(json_as_yaml(value)).warnings == ()


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text gives findings."""
    assert lint(text) is not None
