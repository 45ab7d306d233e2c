"""Check, test and measure this repository."""

from __future__ import annotations

import math
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from slipway.errors import ConfigError
from tasks.command import JSON, ROOT, attached, command, remainder

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace

_ROOMS = "plan,ledger,stack,act,runner"


@command()
def lint(workspace: Workspace) -> int:
    """Check style, types and shell scripts."""
    scripts = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("nix/**/*.sh"))
    scripts += ["inv", "deploy/images/postgres/usr/bin/postgres-start"]
    checks = [
        [sys.executable, "-m", "ruff", "check", "."],
        [sys.executable, "-m", "ruff", "format", "--check", "."],
        [sys.executable, "-m", "mypy"],
        [str(Path(sys.executable).parent / "shellcheck"), *scripts],
    ]
    return max(attached(workspace, argv) for argv in checks)


@command(
    name="test",
    help={
        "unit": "only pure tests (milliseconds each)",
        "integration": "only tests against real programs",
        "functional": "only whole deploys on a rehearsal host",
        "match": "only tests whose name contains this",
        "long": "those as well that take minutes and show again what others show",
    },
)
def test_(
    workspace: Workspace,
    unit: bool = False,
    integration: bool = False,
    functional: bool = False,
    match: str = "",
    long: bool = False,
) -> int:
    """Run every test, or only some kinds."""
    from slipway.supply import programs

    chosen = {"unit": unit, "integration": integration, "functional": functional}
    kinds = [kind for kind, wanted in chosen.items() if wanted] or list(chosen)
    needed = {"integration": programs.INTEGRATION, "functional": programs.FUNCTIONAL}
    for kind in kinds:
        programs.ensure(workspace.shell, workspace.report, needed.get(kind, {}))
    if "integration" in kinds or "functional" in kinds:
        workspace.supplies(locked=False).bring()
    argv = [sys.executable, "-m", "pytest", *(f"tests/{kind}" for kind in kinds)]
    # Many tests wait for programs: one more at a time than there are processors keeps these busy.
    side_by_side = str(1 + (os.cpu_count() or 1))
    argv += ["-n", side_by_side, "--no-loadscope-reorder", *(["--long"] if long else [])]
    return attached(workspace, [*argv, *(["-k", match] if match else []), *remainder()])


@command(
    help={
        "runs": "how often each timed thing is repeated",
        "timeline": "only where the time of a deploy of one changed line goes",
        "json": JSON,
    }
)
def bench(
    workspace: Workspace, runs: int = 5, timeline: bool = False, json: bool = False
) -> Answer:
    """Measure sizes, bytes and times on this machine."""
    from slipway.app.bench import bench as measure
    from slipway.app.figure import figures_text
    from slipway.app.timeline import timeline as deploy_timeline

    if runs < 1:
        raise ConfigError(f"--runs {runs} should be 1 or more", hint="./inv bench", stage="config")
    images = workspace.images(locked=True, samples=True)
    if timeline:
        parts = deploy_timeline(workspace.root, workspace.report)
        return Answer([figure.to_json() for figure in parts], figures_text(parts))
    figures = measure(workspace.root, images, workspace.report, runs=runs)
    return Answer([figure.to_json() for figure in figures], figures_text(figures))


@command(name="check")
def nix_check(workspace: Workspace) -> int:
    """Build every check of the flake."""
    from slipway.supply.outputs import SYSTEM

    workspace.supplies(locked=True).bring()
    return attached(
        workspace, ["nix-build", "./nix", "--no-out-link", "--attr", f"checks.{SYSTEM}"]
    )


@command(help={"only": "only cases whose name has a match for this regular expression"})
def faults(workspace: Workspace, only: str = "") -> int:
    """Break deploys on a rehearsal host; write how each ended."""
    from slipway.hosts.rehearsal import require_root

    require_root()
    try:
        re.compile(only)
    except re.error as error:
        raise ConfigError(
            f"--only {only}: no regular expression: {error}",
            hint="./inv dev.faults --only 'rebooted|dockerd'",
            stage="config",
        ) from error
    return _by_hand(workspace, "tests.functional.faults.matrix", only)


@command(help={"only": "only cases that fit, as pytest's -k has it, such as '25.10 and app'"})
def releases(workspace: Workspace, only: str = "") -> int:
    """Deploy to a stand-in of each TrueNAS; write how it went."""
    from slipway.hosts.rehearsal import require_root

    require_root()
    return _by_hand(workspace, "tests.functional.releases", only)


def _by_hand(workspace: Workspace, module: str, only: str) -> int:
    """Run a module of the functional tests that writes a table of the documentation."""
    from slipway.supply import programs

    programs.ensure(workspace.shell, workspace.report, programs.FUNCTIONAL)
    workspace.supplies(locked=False).bring()
    return attached(workspace, [sys.executable, "-m", module, *([only] if only else [])])


@command(
    help={
        "minutes": "how long to try at most; the next run goes on from there",
        "rooms": "packages of slipway whose code is changed, with commas",
    }
)
def mutate(workspace: Workspace, minutes: float = 20.0, rooms: str = _ROOMS) -> int:
    """Change code a little; show what no unit test notices."""
    if not 0 < minutes < math.inf:
        raise ConfigError(
            f"--minutes {minutes:g} should be above 0, and finite",
            hint="./inv dev.mutate",
            stage="config",
        )
    argv = [sys.executable, "-m", "tests.mutate", f"{minutes:g}", *rooms.split(",")]
    return attached(workspace, argv)
