"""One command reads the Compose files once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.composing import ROOT, compose_model
from tests.unit.demo import image, world

from slipway.app.target import Target
from slipway.app.workspace import Workspace
from slipway.config import load
from slipway.doors import Completed
from slipway.report import Report
from slipway.shell import LocalShell


class CountingShell(LocalShell):
    """This machine, and the programs that were run on it."""

    def __init__(self) -> None:
        self.programs: list[str] = []

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        """Run a program, and note its name."""
        self.programs.append(Path(argv[0]).name)
        return super().run(argv, **options)


def test_the_check_and_the_deploy_share_one_reading() -> None:
    """What is checked before a build is what is deployed after it, with real references."""
    compose_model()
    shell = CountingShell()
    workspace = Workspace(ROOT, Report(quiet=True), shell=shell)
    entry = workspace.entry("rehearsal")
    checked = workspace.reading(entry)
    images = tuple(image(role) for role in load(ROOT).roles)
    wanted = workspace.wanted(Target(entry, "host", world().doors), images)
    assert shell.programs.count("compose-model") == 1
    assert not {"nix", "nix-build"} & set(shell.programs)
    assert wanted.stack.services["api"]["image"] == "demo/api:1"
    assert wanted.contents == checked.contents
    assert "unbuilt" not in str(wanted.stack.document)
