"""Locked wheels through pip-audit, which asks the Python index or OSV over the network."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from packageurl import PackageURL
from packaging.utils import canonicalize_name

from slipway.audit.values import Finding, Severity, Source
from slipway.doors import Shell
from slipway.errors import CommandFailed
from slipway.supply.locks import PythonLock

NAME = "pip-audit"
SERVICES = ("pypi", "osv")
_TIMEOUT_S = 300.0
_LONGEST = 140


def look_up(
    shell: Shell, lock: PythonLock, where: Mapping[str, tuple[str, ...]]
) -> tuple[list[Finding], Source]:
    """What the first service that answers knows against the locked wheels.

    Args:
        where: wheel to the roles whose images hold it.
    """
    refused = []
    for service in SERVICES:
        said = _ask(shell, lock, service)
        if isinstance(said, str):
            refused.append(f"{service}: {said}")
            continue
        found, asked = parse(said, where)
        if asked:
            told = f"{asked} of {len(lock.wheels)} wheels at {service}"
            return found, Source(NAME, True, told)
        refused.append(f"{service}: it knows none of the wheels")
    return [], Source(NAME, False, "; ".join(refused))


def _ask(shell: Shell, lock: PythonLock, service: str) -> Any:
    """What pip-audit printed, or the last words of why it could not ask."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        lines = [f"{wheel.name}=={wheel.version}" for wheel in lock.wheels.values()]
        file.write_text("\n".join(lines) + "\n", "utf-8")
        argv = [sys.executable, "-m", "pip_audit", "--requirement", str(file), "--no-deps"]
        argv += ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
        argv += ["--vulnerability-service", service, "--timeout", "15"]
        try:
            # It ends with 1 when it found something, and with 1 when it could not ask.
            done = shell.run(argv, timeout=_TIMEOUT_S, check=False)
        except CommandFailed as error:
            return error.message
    try:
        return json.loads(done.text)
    except ValueError:
        lines = done.error_text.strip().splitlines()
        return lines[-1][:_LONGEST] if lines else f"it ended with code {done.exit_code}"


def parse(value: Any, where: Mapping[str, tuple[str, ...]]) -> tuple[list[Finding], int]:
    """The findings of pip-audit's JSON, and how many packages it could ask for.

    It tells no severity, so each counts as ``high``.
    """
    found: list[Finding] = []
    rows = value.get("dependencies", ()) if isinstance(value, dict) else ()
    asked = [row for row in rows if "skip_reason" not in row]
    for row in asked:
        name = canonicalize_name(row["name"])
        for hole in row.get("vulns", ()):
            found.append(_finding(name, row["version"], hole, where.get(name, ())))
    return found, len(asked)


def _finding(name: str, version: str, hole: Mapping[str, Any], where: Sequence[str]) -> Finding:
    names = [hole["id"], *hole.get("aliases", ())]
    first = [one for one in names if one.startswith("CVE-")]
    text = str(hole.get("description") or "").strip().splitlines()
    return Finding(
        ids=tuple(dict.fromkeys((*first, *names))),
        severity=Severity.HIGH,
        purl=PackageURL("pypi", None, name, version).to_string(),
        name=name,
        version=version,
        where=tuple(where),
        summary=text[0][:_LONGEST] if text else "",
        fixed=(hole.get("fix_versions") or [""])[0],
        sources=(NAME,),
    )
