"""Which file of SOPS' is edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.app.commands import Commands, encrypted_file
from slipway.errors import ConfigError
from slipway.report import Report
from slipway.testing import FakeShell

ONE = ("sops", "decrypt", "--extract", '["a"]', "deploy/one.yaml")
OTHER = ("/opt/bin/sops", "decrypt", "deploy/other.yaml")


def commands(**argv: tuple[str, ...]) -> Commands:
    """Those of a checkout."""
    return Commands(FakeShell(), Report(quiet=True), Path("/checkout"), argv)


def test_the_one_that_is_read() -> None:
    """By however many commands; of several the one that is named."""
    assert encrypted_file(commands(a=ONE, b=ONE, c=("pass", "show", "x"))) == "deploy/one.yaml"
    assert encrypted_file(commands(a=ONE, b=OTHER), "deploy/other.yaml") == "deploy/other.yaml"


@pytest.mark.parametrize(
    ("argv", "wanted", "said", "hint"),
    [
        ({"a": ("pass", "show", "x")}, "", "no command of deploy/secrets.toml", "guides/secrets"),
        ({}, "x", "no command of deploy/secrets.toml", "guides/secrets"),
        ({"a": ONE, "b": OTHER}, "", "several files", "deploy/one.yaml, deploy/other.yaml"),
        ({"a": ONE}, "x", "no command reads x", "deploy/one.yaml"),
    ],
)
def test_others_are_not_guessed(
    argv: dict[str, tuple[str, ...]], wanted: str, said: str, hint: str
) -> None:
    """What there is is named."""
    with pytest.raises(ConfigError, match=said) as caught:
        encrypted_file(commands(**argv), wanted)
    assert hint in (caught.value.hint or "")
