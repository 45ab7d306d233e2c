"""What YAML readers differ on is pointed out."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from slipway.stack import yamlfile
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


@pytest.mark.parametrize(
    ("scalar", "kind"),
    [("yes", "true or false"), ("2026-01-31", "a date"), ("0755", "a number"), ("1e3", "a number")],
)
def test_what_else_it_may_be_is_told(scalar: str, kind: str) -> None:
    """A person learns what another reader takes it for."""
    (found,) = lint(f"- - {scalar}\n").warnings
    assert found.where == "[0][0]"
    assert found.what.startswith(f"{scalar} is {kind} to some")


def test_a_tag_of_nobody_is_pointed_out() -> None:
    """Wherever it stands: at a text, a list, a map; Compose's own mean something."""
    found = lint("a: !x t\nb: !y []\nc: !z\n  d: !reset null\n  e: !override yes\n").warnings
    assert [one.where for one in found] == ["a", "b", "c"]
    assert ["!x" in found[0].what, "!y" in found[1].what, "!z" in found[2].what] == [True] * 3
    assert ["line 1" in found[0].what, "line 2" in found[1].what] == [True] * 2


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


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: b: c", "line 1, column 5: "), ("a:\n  - b\n c: [", "line 3, column 2: ")],
)
def test_where_yaml_breaks_is_told(text: str, place: str) -> None:
    """Lines and columns count from 1, as editors do."""
    found = lint(text)
    assert found.broken[0].startswith(f"is no YAML: {place}")
    assert found.broken[0][len(f"is no YAML: {place}") :] != "None"
    assert not found.endless


def test_a_character_that_yaml_forbids_is_told_in_one_line() -> None:
    """Such an error has no line; its words stand in one."""
    (said,) = lint("a\x00").broken
    assert "#x0000" in said
    assert "\n" not in said
    assert "XX" not in said


def test_a_file_of_many_values_is_too_big_from_one_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each map, list and text counts."""
    monkeypatch.setattr(yamlfile, "_MAX_NODES", 6)
    assert lint("a: [yes, x]\nb: {c: y}\n").warnings
    found = lint("a: [yes, x, z]\nb: {c: y}\n")
    assert found.endless
    assert found.warnings == ()
    assert len(found.broken) == 1


def test_nothing_is_no_problem() -> None:
    """An empty file has no findings."""
    assert lint("") == yamlfile.Findings()


def test_nesting_without_an_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader that is slower gives up in another way."""
    monkeypatch.setattr(yamlfile, "_Loader", yaml.SafeLoader)
    found = lint("[" * 5000)
    assert "deeply" in found.broken[0]
    assert found.endless


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
