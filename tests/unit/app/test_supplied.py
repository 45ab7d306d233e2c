"""The operator's own secrets: from where they come, and that no error shows them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.app.supplied import public, read_supplied, withdraw
from slipway.errors import ConfigError
from slipway.plan.secrets import variable
from slipway.secret import Secret
from slipway.stack.model import SecretSpec

MADE = SecretSpec("made", generate=8)
GIVEN = SecretSpec("given")
ROOT = Path(__file__).resolve().parents[3]
TASK = """
import subprocess
from tasks.command import command

@command()
def look(workspace):
    seen = subprocess.run(["env"], capture_output=True, text=True).stdout
    known = workspace._environment.get("SLIPWAY_SECRET_GIVEN") == "canary"
    print(seen.count("canary"), int(known))
"""


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


def test_secrets_leave_the_environment_and_are_read_all_the_same(tmp_path: Path) -> None:
    """Programs that slipway starts inherit what is left."""
    environment = {"PATH": "/bin", "SLIPWAY_SECRET_GIVEN": "value", "SLIPWAY_PYTHON": "python3"}
    before = withdraw(environment)
    assert environment == {"PATH": "/bin", "SLIPWAY_PYTHON": "python3"}
    assert read_supplied([GIVEN], tmp_path, before) == {"given": Secret("value")}
    assert public(before) == environment


def test_no_task_starts_a_program_with_a_secret(tmp_path: Path) -> None:
    """The environment that a real child process sees, in a real task of the command line."""
    (tmp_path / "looks.py").write_text(TASK, "utf-8")
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "SLIPWAY_SECRET_GIVEN": "canary"}
    argv = [sys.executable, "-m", "slipway.commandline", "--search-root", str(tmp_path)]
    argv += ["--collection", "looks", "look"]
    done = subprocess.run(argv, env=env, check=True, capture_output=True, text=True)
    inherited, known = done.stdout.split()
    assert (inherited, known) == ("0", "1")
