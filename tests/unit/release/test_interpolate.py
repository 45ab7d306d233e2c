"""Variables of Compose files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import Problem
from slipway.stack.interpolate import Unset, interpolate, interpolate_text, names_in
from slipway.stack.yamlfile import RESET, Override

SET = {"A": "1", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A", "1"), ("${A}", "1"), ("x${A}y$A", "x1y1"), ("$$A", "$A"), ("$$$A", "$1"),
        ("${A:-d}", "1"), ("${B:-d}", "d"), ("${EMPTY:-d}", "d"), ("${EMPTY-d}", ""),
        ("${B-d}", "d"), ("${A:+x}", "x"), ("${B:+x}", ""), ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${B:-${A}}", "1"), ("${B:-${C:-deep}}", "deep"), ("${B:-a$$b}", "a$b"),
        ("${B:-}", ""), ("${A:?why}", "1"), ("${B:-a:b?c}", "a:b?c"), ("100 %", "100 %"),
    ],
)  # fmt: skip
def test_forms(text: str, expected: str) -> None:
    """Each form gives what Compose gives."""
    assert interpolate_text(text, SET) == (expected, ())


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("$B", Unset("B", "")), ("${B}", Unset("B", "")), ("${B:?say why}", Unset("B", "say why")),
        ("${B?}", Unset("B", "")), ("${EMPTY:?w}", Unset("EMPTY", "w")),
    ],
)  # fmt: skip
def test_lacking_variables(text: str, lacking: Unset) -> None:
    """A variable without a value is reported with the reason the file gives."""
    assert interpolate_text(text, SET)[1] == (lacking,)


@pytest.mark.parametrize("text", ["$", "a $ b", "${A", "${}", "${1}", "${A!x}", "${A:-${B}", "$1"])
def test_malformed(text: str) -> None:
    """What is no template is an error."""
    with pytest.raises(ValueError, match=r"\$"):
        interpolate_text(text, SET)


def test_every_lacking_variable_is_reported_with_its_path() -> None:
    """One pass names all problems; keys are left alone, tags and other scalars pass through."""
    problems: list[Problem] = []
    value = {"$A": ["$B", {"c": "${C:?need it}"}], "n": 1, "r": RESET, "o": Override(["$A"])}
    result = interpolate(value, SET, problems)
    assert result == {"$A": ["", {"c": ""}], "n": 1, "r": RESET, "o": Override(["1"])}
    assert [str(problem) for problem in problems] == [
        "$A[0]: the variable B is not set",
        "$A[1].c: the variable C is not set: need it",
    ]


def test_names_in_a_text() -> None:
    """All mentioned names are found, doubled dollars are not names."""
    assert names_in("$A ${B:-${C}} $$D ${E:+${F}}") == {"A", "B", "C", "E", "F"}


@given(st.text())
def test_escaping_is_undone(text: str) -> None:
    """A text whose dollars are doubled comes out as it was: what a rendered file relies on."""
    assert interpolate_text(text.replace("$", "$$"), {}) == (text, ())


@given(st.text(alphabet="${}:-?+AB_ \\", max_size=30))
def test_no_template_breaks_it(text: str) -> None:
    """Any text is filled in or refused."""
    try:
        filled, lacking = interpolate_text(text, {"A": "x"})
    except ValueError:
        return
    assert isinstance(filled, str)
    assert all(unset.name for unset in lacking)
