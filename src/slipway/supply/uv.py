"""Resolve Python packages with uv, for another Python than this one.

uv reads none of pip's settings, so what this machine's pip is set to (``pip config list``: files
and variables) is handed to it; a variable of uv's own goes over it. No index is named here.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slipway.doors import Shell
from slipway.errors import CommandFailed, LockError

_LINE = re.compile(r"([^.=\s]+(?:\.[^.=\s]+)*)\.([a-z-]+)=(.*)\Z")
_SECTIONS = ("global", "install", "download", ":env:")  # later ones go over earlier ones
_TIMEOUT_S = 900.0


def parse_pip_config(text: str) -> dict[str, str]:
    """The settings of ``pip config list`` that hold for ``pip install``: name to value.

    Args:
        text: lines such as ``global.index-url='https://…'``, values quoted as Python does.
    """
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None or match[1] not in found:
            continue
        try:
            value = ast.literal_eval(match[3])
        except (SyntaxError, ValueError):
            continue
        found[match[1]][match[2]] = str(value)
    return {name: value for section in _SECTIONS for name, value in found[section].items()}


def from_pip(settings: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """pip's settings as uv takes them: variables and flags."""
    variables = {"UV_SYSTEM_CERTS": "1", "UV_NO_PROGRESS": "1"}
    for name, variable, join in (
        ("index-url", "UV_DEFAULT_INDEX", " "),
        ("extra-index-url", "UV_INDEX", " "),
        ("find-links", "UV_FIND_LINKS", ","),
        ("trusted-host", "UV_INSECURE_HOST", " "),
        ("cert", "SSL_CERT_FILE", " "),
        ("proxy", "ALL_PROXY", " "),
    ):
        if words := settings.get(name, "").split():
            variables[variable] = join.join(words)
    links = variables.get("UV_FIND_LINKS", "").split(",")
    there = [link for link in links if "://" in link or Path(link).is_dir()]
    variables["UV_FIND_LINKS"] = ",".join(there)  # pip passes over a folder that isn't there
    no_index = settings.get("no-index", "").lower() in ("1", "true", "yes", "on")
    return variables, ("--no-index",) if no_index else ()


def settings(shell: Shell) -> tuple[dict[str, str], tuple[str, ...]]:
    """What uv is started with on this machine: variables and flags."""
    argv = [sys.executable, "-m", "pip", "config", "list"]
    listed = shell.run(argv, timeout=60, check=False).text
    variables, flags = from_pip(parse_pip_config(listed))
    return {name: value for name, value in variables.items() if name not in os.environ}, flags


def resolve(
    shell: Shell,
    requirements: Sequence[str],
    *,
    python: str,
    platform: str,
    constraints: Sequence[str] = (),
    flags: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The wheels that ``requirements`` come to on another Python.

    Markers are evaluated for that Python, never for the one that runs here.

    Args:
        requirements: as pip reads them.
        python: version of the target, such as ``3.13``.
        platform: the target as uv names it (``--python-platform``).
        constraints: ``name==version`` lines that hold as well.
        flags: further flags of ``uv pip compile``.

    Returns:
        The tables ``packages`` of PEP 751 (pylock.toml): each has ``name``, ``version`` and
        ``wheels``, those that the platform takes.

    Raises:
        LockError: there is no solution in wheels; uv's reasons are the details.
    """
    variables, more = settings(shell)
    with tempfile.TemporaryDirectory() as folder:
        limits = Path(folder) / "constraints.txt"
        limits.write_text("\n".join(constraints) + "\n", "utf-8")
        argv = [sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet", "--no-header"]
        argv += ["--format", "pylock.toml", "--generate-hashes", "--only-binary", ":all:"]
        argv += ["--python", sys.executable, "--python-version", python]
        argv += ["--python-platform", platform, "--constraints", str(limits), *more, *flags]
        text = "\n".join(requirements).encode()
        try:
            done = shell.run(argv, timeout=_TIMEOUT_S, input=text, env=variables, cwd=folder)
        except CommandFailed as error:
            raise LockError(
                "uv found no set of wheels for the requirements",
                details=error.details,
                hint="is each available as a wheel for this Python, and the index reachable?",
                stage="lock",
            ) from error
    packages: list[dict[str, Any]] = tomllib.loads(done.text).get("packages", [])
    return packages
