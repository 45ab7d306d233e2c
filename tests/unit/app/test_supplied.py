"""The operator's own secrets: from where they come, and that no error shows them."""

from __future__ import annotations

import secrets
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.app.strength import weaknesses
from slipway.app.supplied import read_supplied
from slipway.errors import ConfigError
from slipway.plan.secrets import variable
from slipway.secret import Secret
from slipway.stack.model import SecretSpec

MADE = SecretSpec("made", generate=32)
GIVEN = SecretSpec("given")


def test_supplied_from_file_and_environment(tmp_path: Path) -> None:
    """The environment goes over the file; an editor's last newline is not the secret's."""
    (tmp_path / "given").write_text("from file \n")
    assert read_supplied([GIVEN, MADE], tmp_path, {}) == {"given": Secret("from file ")}
    environment = {variable("given"): "from environment"}
    assert read_supplied([GIVEN], tmp_path, environment) == {"given": Secret("from environment")}


def test_empty_or_unreadable_supplies_are_refused(tmp_path: Path) -> None:
    """An empty or binary file is a configuration error that doesn't show its content."""
    (tmp_path / "given").write_text("\n")
    (tmp_path / "made").write_bytes(b"canary\xff")
    with pytest.raises(ConfigError) as caught:
        read_supplied([GIVEN, MADE], tmp_path, {})
    assert len(caught.value.details) == 2
    assert "canary" not in repr(caught.value.details)


def test_what_is_there_and_no_secret_is_refused(tmp_path: Path) -> None:
    """A folder in a file's place, or bytes that are no text, must not make a new secret unseen."""
    (tmp_path / "made").mkdir()
    with pytest.raises(ConfigError) as caught:
        read_supplied([GIVEN, MADE], tmp_path, {variable("given"): "canary\udcff"})
    assert caught.value.details == (
        "deploy/secrets: given: can't be read: is no UTF-8",
        "deploy/secrets: made: can't be read: is no file",
    )


GOOD = [
    "0f" + "3a9c41d7e2b85f60",
    "correct horse battery staple",
    "R7!kw_Zp0-qLm3#v",
    "9f3c" * 3 + "0a71",
]


@pytest.mark.parametrize("text", GOOD)
def test_a_good_secret_is_taken(tmp_path: Path, text: str) -> None:
    """Random digits, a row of words, and what a generator gives."""
    assert read_supplied([MADE], tmp_path, {variable("made"): text}) == {"made": Secret(text)}


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("x", ["is too short: 1 characters", "has 1 different"]),
        ("hunter2hunter2hunter2", ["again and again"]),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", ["has 1 different", "again and again", "in a row"]),
        ("abcdefghijklmnopqrst", ["in a row"]),
        ("9876543210987654", ["in a row"]),
        ("passwörd-with-umlaut", ["not printable ASCII"]),
        ("two lines\nof a secret", ["not printable ASCII"]),
        (" R7!kw_Zp0-qLm3#v", ["begins or ends with a space"]),
        ("12121212 ", ["too short", "space", "has 3 different"]),
    ],
)
def test_a_weak_secret_is_refused_with_every_reason(
    tmp_path: Path, text: str, reasons: list[str]
) -> None:
    """All of them at once, with what to do, and without the secret."""
    (tmp_path / "given").mkdir()
    with pytest.raises(ConfigError) as caught:
        read_supplied([MADE, GIVEN], tmp_path, {variable("made"): text})
    told = [one for one in caught.value.details if ": made: " in one]
    assert len(told) == len(reasons)
    for line, reason in zip(told, reasons, strict=True):
        assert reason in line
        assert len(text) < 5 or text not in line
    assert "given: can't be read" in str(caught.value.details)
    assert "openssl rand" in str(caught.value.hint)
    assert caught.value.exit_code == 2


def test_the_key_of_somebody_else_is_as_it_is(tmp_path: Path) -> None:
    """What slipway would not make it does not judge."""
    assert read_supplied([GIVEN], tmp_path, {variable("given"): "x"}) == {"given": Secret("x")}


@given(st.integers(16, 64), st.randoms(use_true_random=True))
def test_what_slipway_makes_it_would_take(length: int, _: object) -> None:
    """A generated secret of any length that can be refused for its length is none of these."""
    alphabet = string.ascii_letters + string.digits
    assert weaknesses("".join(secrets.choice(alphabet) for _ in range(length))) == []


def test_a_short_one_is_enough_where_a_short_one_is_made(tmp_path: Path) -> None:
    """Whoever declares eight characters gets eight, and may supply eight."""
    short = SecretSpec("short", generate=8)
    given = {variable("short"): "k3Zq9wXa"}
    assert read_supplied([short], tmp_path, given) == {"short": Secret("k3Zq9wXa")}
