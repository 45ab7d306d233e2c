"""Reasons why findings don't count: ``deploy/audit.toml`` and ``deploy/vex.json``.

Each has an end: a reason that nobody looked at for long is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from slipway.audit.values import Statement
from slipway.errors import ConfigError, Problem
from slipway.reading import Reader, parse_toml, read_text

EXCEPTIONS = "deploy/audit.toml"
VEX = "deploy/vex.json"
UNTIL = "slipway:until"
WITHOUT = "slipway:without"
_FORMAT = 1
_AFFECTED = ("exploitable", "in_triage")


def read_statements(root: Path) -> tuple[Statement, ...]:
    """Those of both files; a file that isn't there has none.

    Raises:
        ConfigError: a file has problems; all of them are named.
    """
    return (*read_exceptions(root), *read_vex(root))


def read_exceptions(root: Path) -> tuple[Statement, ...]:
    """The exceptions of ``deploy/audit.toml``.

    Raises:
        ConfigError: it has problems.
    """
    path = root / EXCEPTIONS
    if not path.exists():
        return ()
    reader = Reader(parse_toml(read_text(path, EXCEPTIONS), EXCEPTIONS))
    reader.format(_FORMAT)
    rows = reader.tables("exception") if reader.has("exception") else []
    found = tuple(_exception(row) for row in rows)
    reader.finish()
    if reader.problems:
        raise ConfigError.from_problems(EXCEPTIONS, reader.problems, hint=f"mend {EXCEPTIONS}")
    return found


def _exception(row: Reader) -> Statement:
    until = row.take("until")
    if type(until) is not date:
        row.note("until", "should be a day such as 2027-06-30")
        until = date.min
    reason = row.text("reason")
    if not reason.strip():
        row.note("reason", "should say why")
    found = Statement(row.text("id"), row.text("package", ""), reason, until, EXCEPTIONS)
    row.finish()
    return found


def read_vex(root: Path) -> tuple[Statement, ...]:
    """The statements of ``deploy/vex.json``: CycloneDX 1.6, ``vulnerabilities`` with an analysis.

    Raises:
        ConfigError: it is no CycloneDX, or a statement has no reason, component or end.
    """
    path = root / VEX
    if not path.exists():
        return ()
    text = read_text(path, VEX)
    error = _invalid(text)
    if error:
        raise ConfigError.from_problems(VEX, [Problem("", error)], hint=f"mend {VEX}")
    problems: list[Problem] = []
    found: list[Statement] = []
    for index, row in enumerate(json.loads(text).get("vulnerabilities", ())):
        found += _statements(row, f"vulnerabilities[{index}]", problems)
    if problems:
        raise ConfigError.from_problems(VEX, problems, hint=f"mend {VEX}")
    return tuple(found)


def _invalid(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        return f"is no JSON: {error}"
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return f"is not CycloneDX 1.6: {str(wrong.data).splitlines()[0]}" if wrong else ""


def _statements(row: Mapping[str, Any], where: str, problems: list[Problem]) -> list[Statement]:
    analysis = row.get("analysis", {})
    reason, state = str(analysis.get("detail", "")), str(analysis.get("state", ""))
    refs = [str(one["ref"]) for one in row.get("affects", ())]
    until = _until(row, where, problems)
    for key, value in (
        ("id", row.get("id")),
        ("analysis.detail", reason),
        ("analysis.state", state),
        ("affects", refs),
    ):
        if not value:
            problems.append(Problem(f"{where}.{key}", "is missing"))
    affected = state in _AFFECTED
    return [Statement(str(row.get("id")), ref, reason, until, VEX, affected) for ref in refs]


def _until(row: Mapping[str, Any], where: str, problems: list[Problem]) -> date:
    said = [one.get("value", "") for one in row.get("properties", ()) if one["name"] == UNTIL]
    try:
        return date.fromisoformat(said[0] if said else "")
    except ValueError:
        problems.append(
            Problem(where, f"should have a property {UNTIL} with a day such as 2027-06-30")
        )
        return date.min


def absent_packages(root: Path) -> dict[str, tuple[str, ...]]:
    """What VEX statements say that programs do not hold: id to names of Go packages.

    A statement of ``code_not_present`` names these in properties, so that it can be held against
    the bytes.
    """
    path = root / VEX
    rows = json.loads(read_text(path, VEX)).get("vulnerabilities", ()) if path.exists() else ()
    return {
        row["id"]: tuple(
            one["value"] for one in row.get("properties", ()) if one["name"] == WITHOUT
        )
        for row in rows
        if row.get("analysis", {}).get("justification") == "code_not_present"
    }
