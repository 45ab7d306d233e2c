"""The operator's own secrets: from where they come, and that no error shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.app.supplied import read_supplied
from slipway.errors import ConfigError
from slipway.plan.secrets import variable
from slipway.secret import Secret
from slipway.stack.model import SecretSpec

MADE = SecretSpec("made", generate=8)
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


def test_an_optional_one_may_be_empty() -> None:
    """That ends it."""
    old = SecretSpec("old", optional=True)
    assert read_supplied([old], Path("/nowhere"), {variable("old"): ""}) == {"old": Secret("")}


def test_what_is_there_and_no_secret_is_refused(tmp_path: Path) -> None:
    """A folder in a file's place, or bytes that are no text, must not make a new secret unseen."""
    (tmp_path / "made").mkdir()
    with pytest.raises(ConfigError) as caught:
        read_supplied([GIVEN, MADE], tmp_path, {variable("given"): "canary\udcff"})
    assert caught.value.details == (
        "deploy/secrets: given: can't be read: is no UTF-8",
        "deploy/secrets: made: can't be read: is no file",
    )
