"""Grype and Trivy, where this machine has one: they read our bill and ask their own databases."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from slipway.audit.values import Finding, Source, severity_of
from slipway.doors import Shell
from slipway.errors import CommandFailed

SCANNERS = ("grype", "trivy")
_TIMEOUT_S = 900.0
_LONGEST = 140
Where = Mapping[str, tuple[str, ...]]
Program = Callable[[str], str | None]


def look_up(
    shell: Shell, bill: Path, where: Where, *, program: Program = shutil.which
) -> list[tuple[list[Finding], Source]]:
    """What each scanner knows of a bill's components.

    Args:
        bill: a CycloneDX file.
        where: package URL to the roles that hold the component.
        program: finds a program's path.
    """
    return [_ask(shell, name, program(name), bill, where) for name in SCANNERS]


def _ask(
    shell: Shell, name: str, path: str | None, bill: Path, where: Where
) -> tuple[list[Finding], Source]:
    if path is None:
        return [], Source(name, False, "it is not installed")
    words = {
        "grype": [path, "--quiet", "--output", "json", f"sbom:{bill}"],
        "trivy": [path, "sbom", "--quiet", "--format", "json", "--scanners", "vuln", str(bill)],
    }
    try:
        done = shell.run(words[name], timeout=_TIMEOUT_S, check=False)
        value = json.loads(done.text)
        found = grype(value, where) if name == "grype" else trivy(value, where)
    except CommandFailed as error:
        return [], Source(name, False, error.message)
    except (ValueError, KeyError, TypeError, AttributeError):
        lines = done.error_text.strip().splitlines() or [f"it ended with code {done.exit_code}"]
        return [], Source(name, False, lines[-1][:_LONGEST])
    return found, Source(name, True, f"{len(found)} matches in its database")


def grype(value: Any, where: Where) -> list[Finding]:
    """The matches of ``grype --output json`` (schema 1.0.0 and later: ``matches``)."""
    found = []
    for row in value["matches"]:
        hole, package = row["vulnerability"], row["artifact"]
        others = [one["id"] for one in row.get("relatedVulnerabilities", ())]
        fixed = hole.get("fix", {}).get("versions") or [""]
        found.append(
            _finding(
                [hole["id"], *others],
                str(hole.get("severity", "")),
                package,
                str(package.get("purl", "")),
                str(hole.get("description", "")),
                fixed[0],
                "grype",
                where,
            )
        )
    return found


def trivy(value: Any, where: Where) -> list[Finding]:
    """The vulnerabilities of ``trivy sbom --format json`` (``SchemaVersion`` 2)."""
    found = []
    if value["SchemaVersion"] != 2:
        raise ValueError("another version's form")
    for result in value.get("Results") or ():
        for row in result.get("Vulnerabilities") or ():
            package = {"name": row["PkgName"], "version": row["InstalledVersion"]}
            found.append(
                _finding(
                    [row["VulnerabilityID"]],
                    str(row.get("Severity", "")),
                    package,
                    str(row.get("PkgIdentifier", {}).get("PURL", "")),
                    str(row.get("Title") or row.get("Description") or ""),
                    str(row.get("FixedVersion", "")),
                    "trivy",
                    where,
                )
            )
    return found


def _finding(
    names: list[str],
    severity: str,
    package: Mapping[str, Any],
    purl: str,
    text: str,
    fixed: str,
    source: str,
    where: Where,
) -> Finding:
    first = [name for name in names if name.startswith("CVE-")]
    return Finding(
        ids=tuple(dict.fromkeys((*first, *names))),
        severity=severity_of(severity),
        purl=purl,
        name=str(package["name"]),
        version=str(package["version"]),
        where=where.get(purl, ()),
        summary=(text.strip().splitlines() or [""])[0][:_LONGEST],
        fixed=fixed,
        sources=(source,),
    )
