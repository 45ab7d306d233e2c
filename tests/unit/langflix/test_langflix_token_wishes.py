"""Which tokens can be wished for: one rule for the API, the command line and the tasks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from langflix.api.tokens import Wish
from langflix.cli.main import main
from langflix.domain.tokens import MOST_DAYS, name_problems, problems

NAMES = st.text(alphabet=st.sampled_from("aZ0._-/ \nä"), max_size=66) | st.text(max_size=5)


@given(NAMES, st.sampled_from(["read", "upload", "admin", "write", ""]),
       st.none() | st.integers(-1, 2) | st.integers(MOST_DAYS - 1, MOST_DAYS + 1))  # fmt: skip
def test_the_api_takes_what_has_no_problem(name: str, scope: str, days: int | None) -> None:
    """And refuses what has one."""
    try:
        Wish.model_validate({"name": name, "scope": scope, "days": days})
        taken = True
    except ValidationError:
        taken = False
    assert taken == (problems(name, scope, days) == ())


def test_each_problem_has_its_sentence() -> None:
    """With what was given and what can be."""
    name, scope, days = problems("Anna Müller", "write", 0)
    assert name.startswith("the name 'Anna Müller' should be 1 to 64 letters")
    assert scope == "the scope 'write' should be one of read, upload, admin"
    assert days == "the days should be 1 to 3650, got 0; without them it never ends"
    assert name_problems("a" * 64) == ()
    assert name_problems("a" * 65)
    assert name_problems("a\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "../x", "--scope", "read"], "langflix: the name '../x' should be"),
        (["add", "x", "--scope", "read", "--days", "0"], "langflix: the days should be 1 to 3650"),
        (["revoke", "a b"], "langflix: the name 'a b' should be"),
    ],
)
def test_the_command_line_says_so_before_it_asks(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code 2; there is no API at this address."""
    assert main(["tokens", *words, "--url", "http://127.0.0.1:9"], {}) == 2
    assert capsys.readouterr().err.startswith(said)
