"""``./inv secrets.edit`` from nothing: without SOPS, its rules or its key, and with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.app.commands import read_commands
from slipway.app.supplied import read_supplied
from slipway.errors import ConfigError
from slipway.report import Report
from slipway.secret import Secret
from slipway.shell import LocalShell
from slipway.stack.model import SecretSpec

ROOT = Path(__file__).resolve().parents[3]
FILE = "deploy/secrets.sops.yaml"
COMMANDS = f"""
format = 1
[command]
flower_password = ["sops", "decrypt", "--extract", '["flower"]', "{FILE}"]
"""
NO_SOPS = "sops and age-keygen are not on the PATH; docs/guides/secrets.md says who has them"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the tasks, and a command of SOPS'."""
    shutil.copytree(ROOT / "tasks", tmp_path / "checkout/tasks")
    (tmp_path / "checkout/deploy").mkdir()
    (tmp_path / "checkout/deploy/secrets.toml").write_text(COMMANDS)
    return tmp_path / "checkout"


def edit(root: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the task as ``./inv`` does."""
    argv = [sys.executable, "-m", "slipway.commandline", "--search-root", str(root), "secrets.edit"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HOME": str(root), **variables}
    return subprocess.run(argv, cwd=root, env=env, capture_output=True, text=True, check=False)


def program(folder: Path, name: str, text: str) -> Path:
    """A shell script of that name in a folder."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("there", [False, True])
def test_without_sops_it_is_said_who_has_it(root: Path, there: bool) -> None:
    """No distribution's package is spoken of: Debian 12 has none. Code 2, nothing opened."""
    if there:
        (root / FILE).write_text("x")
    done = edit(root, PATH=str(root))
    assert done.returncode == 2
    assert "error: sops is not installed" in done.stderr
    assert "hint: its makers have packages: https://github.com/getsops/sops/" in done.stderr
    assert "distribution" not in done.stderr


@pytest.mark.parametrize(
    ("code", "ends", "said"),
    [
        (0, 0, "is saved"),
        (200, 0, "nothing was changed"),
        (128, 2, "hint: who may open the file has a key: SOPS_AGE_KEY_FILE"),
        (1, 2, "sops ended with code 1, for the reason above"),
    ],
)
def test_each_ending_of_sops_is_one_of_ours(root: Path, code: int, ends: int, said: str) -> None:
    """Leaving the editor without a change is no failure; the file is named first."""
    (root / FILE).write_text("x")
    program(root / "bin", "sops", f"exit {code}")
    done = edit(root, PATH=f"{root / 'bin'}:{os.environ['PATH']}")
    assert done.returncode == ends
    assert said in done.stderr
    assert done.stderr.splitlines()[0] == f"edit  {FILE}, by sops"


def test_a_file_that_sops_could_not_make_is_not_opened(root: Path) -> None:
    """Whoever has no rules yet would write secrets that can't be saved."""
    opened = root / "opened"
    script = f'[ "$1" = encrypt ] || touch {opened}\n[ -e .sops.yaml ] || exit 1'
    program(root / "bin", "sops", script)
    path = f"{root / 'bin'}:{os.environ['PATH']}"
    done = edit(root, PATH=path)
    assert done.returncode == 2
    assert "nothing was opened" in done.stderr
    assert not opened.exists()
    (root / ".sops.yaml").touch()
    assert edit(root, PATH=path).returncode == 0
    assert opened.exists()


@pytest.mark.skipif(not (shutil.which("sops") and shutil.which("age-keygen")), reason=NO_SOPS)
def test_from_nothing_to_a_value_that_is_deployed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide's way with real SOPS and age: each thing that is missing is said, then it works."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in list(os.environ):
        if name.startswith("SOPS_"):
            monkeypatch.delenv(name)
    refused = edit(root)
    assert refused.returncode == 2
    assert f"{FILE} is not there, and sops can't make it; nothing was opened" in refused.stderr
    assert "creation_rules:" in refused.stderr.split("hint:")[1]
    key = tmp_path / "keys.txt"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    who = subprocess.run(
        ["age-keygen", "-y", key], check=True, capture_output=True, text=True
    ).stdout.strip()
    (root / ".sops.yaml").write_text(f"creation_rules:\n  - age: {who}\n")
    editor = program(tmp_path / "bin", "editor", "echo 'flower: 0a8ec1c8f7b2d45691' >\"$1\"")
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(key))
    assert "is saved" in edit(root, EDITOR=str(editor)).stderr
    assert "0a8ec1c8" not in (root / FILE).read_text()
    assert "nothing was changed" in edit(root, EDITOR="true").stderr
    monkeypatch.chdir(root)
    commands = read_commands(LocalShell(), Report(quiet=True), root)
    specs = [SecretSpec("flower_password", generate=16)]
    found = read_supplied(specs, root / "deploy/secrets", {}, commands)
    assert found == {"flower_password": Secret("0a8ec1c8f7b2d45691")}
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", "/nowhere")
    assert "ended with code 128" in edit(root, EDITOR="true").stderr
    with pytest.raises(ConfigError) as caught:
        read_supplied(specs, root / "deploy/secrets", {}, commands)
    assert "/nowhere" in " ".join(caught.value.details)
    assert "SOPS_AGE_KEY_FILE" in str(caught.value.hint)
