"""A command loads what it needs, and nothing of what others need."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from slipway.commandline import CommandLine

ROOT = Path(__file__).resolve().parents[3]
# What a deploy without changes goes through, from the command line to "unchanged".
UNCHANGED = (
    "tasks", "slipway.app.workspace", "slipway.act.deploy", "slipway.hosts.ssh",
    "slipway.operate.status", "slipway.app.present", "slipway.app.approach",
)  # fmt: skip
# What changes, builds and measurements need: each is a good part of a short command's time.
NEEDLESS = (
    "slipway.act.attend", "slipway.act.change", "slipway.act.interpret", "slipway.plan.actions",
    "slipway.plan.preflight", "slipway.plan.steps", "slipway.hosts.delta", "slipway.hosts.sending",
    "slipway.images.archive", "slipway.images.layers", "slipway.operate.rollback",
    "slipway.supply.elf", "slipway.supply.nixtool", "slipway.app.bench", "slipway.app.load",
    "slipway.web", "httpx", "slipway.hosts.local", "http.client",
)  # fmt: skip


def loaded(*names: str) -> set[str]:
    """Every module that is there after some were imported, in a Python of its own."""
    code = f"import sys\nimport {', '.join(names)}\nprint(*sys.modules)"
    argv = [sys.executable, "-P", "-c", code]
    env = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(argv, env=env, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_a_deploy_without_changes_loads_nothing_that_changes_need() -> None:
    """Loading is half of what it takes."""
    assert loaded(*UNCHANGED) & set(NEEDLESS) == set()
    assert set(NEEDLESS) <= loaded(*NEEDLESS)  # each is the name of a module


def test_a_list_of_tasks_loads_no_task() -> None:
    """What a task works with is imported in its body."""
    rooms = {"act", "hosts", "images", "ledger", "operate", "plan", "stack", "supply"}
    found = (name.split(".") for name in loaded("tasks"))
    assert [name for name in found if name[0] == "slipway" and rooms & {*name[1:2]}] == []


@pytest.mark.parametrize("keep", [True, False])
def test_what_python_compiled_is_kept_unless_it_is_told_not_to(
    keep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invoke would forbid it to every command."""
    monkeypatch.setattr(sys, "dont_write_bytecode", not keep)
    with pytest.raises(SystemExit):
        CommandLine(name="slipway", version="1").run(["./inv", "--version"])
    assert sys.dont_write_bytecode is not keep


def test_no_module_of_tasks_has_the_name_of_another() -> None:
    """Invoke puts their folder before all others: ``import secrets`` would find one of ours."""
    ours = {path.stem for path in (ROOT / "tasks").glob("[!_]*.py")}
    theirs = {*sys.stdlib_module_names, *packages_distributions()}
    assert ours
    assert ours & theirs == set()
