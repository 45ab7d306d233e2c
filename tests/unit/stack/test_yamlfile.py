"""YAML that different readers take differently is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import ConfigError
from slipway.stack.render import json_as_yaml
from slipway.stack.yamlfile import RESET, Override, parse_yaml

TRAPS = ["22:22", "0755", "1:30", "0o17", "0x1F", "1_000", "yes", "no", "on", "off", "Yes",
         "2026-01-31", "1e3", ".5", ".inf", ".nan", "0b11", "+.5e2"]  # fmt: skip


@pytest.mark.parametrize("scalar", TRAPS)
def test_ambiguous_scalar_is_refused_with_its_place(scalar: str) -> None:
    """A scalar that YAML 1.1 and 1.2 read differently is a problem that names path and line."""
    with pytest.raises(ConfigError) as caught:
        parse_yaml(f"a:\n  b: [x, {scalar}]\n", "f.yml")
    (line,) = caught.value.details
    assert line.startswith(f"f.yml: a.b[1]: {scalar} is ")
    assert "line 2" in line


@pytest.mark.parametrize("scalar", TRAPS)
def test_quotes_make_it_a_text(scalar: str) -> None:
    """In quotes every scalar is the text it shows."""
    assert parse_yaml(f'a: "{scalar}"', "f") == {"a": scalar}
    assert parse_yaml(f"a: '{scalar}'", "f") == {"a": scalar}


def test_plain_values() -> None:
    """Numbers, booleans, nothing and ordinary texts need no quotes."""
    text = "{a: 1, b: -2, c: 0.5, d: true, e: False, f: null, g: ~, h: 8080:80, i: 1m30s, j: 1.2.3}"
    assert parse_yaml(text, "f") == {
        "a": 1, "b": -2, "c": 0.5, "d": True, "e": False, "f": None, "g": None,
        "h": "8080:80", "i": "1m30s", "j": "1.2.3",
    }  # fmt: skip


def test_all_problems_at_once() -> None:
    """Every problem of a file is in one error."""
    with pytest.raises(ConfigError) as caught:
        parse_yaml("a: yes\nb: 0755\nb: 1\n1: x\nc: !foo x\n", "f")
    assert len(caught.value.details) == 5


def test_merge_keys_and_anchors() -> None:
    """A map's own keys win over merged ones, earlier merged ones over later."""
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 0\n"
    assert parse_yaml(text, "f")["z"] == {"a": 0, "b": 1, "c": 2}


def test_merge_tags() -> None:
    """Compose's two tags become values."""
    assert parse_yaml("a: !reset null\nb: !override [1]\n", "f") == {"a": RESET, "b": Override([1])}


@pytest.mark.parametrize("text", ["a: [", "\t- x", "a: b: c", "&a [*a]", "[" * 5000, "\x00"])
def test_broken_yaml_is_a_sentence(text: str) -> None:
    """No text gives another error than the one for people."""
    with pytest.raises(ConfigError):
        parse_yaml(text, "f")


def test_alias_bomb_is_refused() -> None:
    """A small file that stands for millions of values is refused quickly."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match="problem"):
        parse_yaml("\n".join(lines), "f")


TEXT = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_json_is_read_as_it_is(value: object) -> None:
    """A file as slipway renders it is read back as the same value, whatever its characters."""
    assert parse_yaml(json_as_yaml(value), "f") == value


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text gives a value or a ConfigError."""
    try:
        parse_yaml(text, "f")
    except ConfigError as error:
        assert error.message
