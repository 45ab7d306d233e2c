"""``requirements.txt``: the pinned, hashed packages of ``.venv``, for every supported Python."""

from __future__ import annotations

import sys
from pathlib import Path

from slipway.doors import Shell
from slipway.errors import CommandFailed, LockError
from slipway.report import Report
from slipway.supply import uv

HEAD = "# Packages of .venv, made by `./inv lock --only dev` from pyproject.toml.\n"


def lock_requirements(shell: Shell, root: Path, report: Report) -> None:
    """Resolve ``pyproject.toml`` with every extra and write ``requirements.txt``.

    Raises:
        LockError: there is no solution.
    """
    report.step("lock", "packages of .venv, by uv")
    target = root / "requirements.txt"
    argv = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--all-extras"]
    argv += ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"]
    argv += ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--quiet", "--upgrade"]
    variables, flags = uv.settings(shell)
    try:
        done = shell.run([*argv, *flags], timeout=600, env=variables, cwd=str(root))
    except CommandFailed as error:
        raise LockError(
            "uv found no solution for pyproject.toml", details=error.details, stage="lock"
        ) from error
    part = target.with_name(target.name + ".new")
    part.write_text(HEAD + done.text, "utf-8")
    part.replace(target)
