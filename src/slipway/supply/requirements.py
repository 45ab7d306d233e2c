"""``requirements.txt``: the pinned, hashed packages of ``.venv``, for every supported Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from slipway.doors import Shell
from slipway.errors import CommandFailed, LockError
from slipway.report import Report

HEAD = "# Packages of .venv, made by `./inv lock --only dev` from pyproject.toml.\n"


def index_of_pip(shell: Shell) -> str:
    """The index that pip is set to, or empty for pip's default."""
    argv = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    return shell.run(argv, timeout=60, check=False).text.strip()


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
    env = {"UV_NATIVE_TLS": "1"}
    index = os.environ.get("UV_DEFAULT_INDEX") or index_of_pip(shell)
    if index:
        env["UV_DEFAULT_INDEX"] = index
    try:
        done = shell.run(argv, timeout=600, env=env, cwd=str(root))
    except CommandFailed as error:
        raise LockError(
            "uv found no solution for pyproject.toml", details=error.details, stage="lock"
        ) from error
    part = target.with_name(target.name + ".new")
    part.write_text(HEAD + done.text)
    part.replace(target)
