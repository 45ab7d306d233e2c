"""An audit's findings as SARIF 2.1.0, which code forges show beside the code.

A finding stands at the line of the lock that names what it is about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from slipway.audit.judge import Verdict
from slipway.audit.values import Finding, Severity

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
#: The numbers by which GitHub sorts: from 9.0 on critical, 7.0 high, 4.0 medium.
_SCORES = {
    Severity.LOW: "2.0",
    Severity.MEDIUM: "5.0",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}
_FILES = {
    "deb": "nix/locks/debian.json",
    "pypi": "nix/locks/python.json",
    "golang": "nix/go/go.mod",
}
_OTHERS = "deploy/vendored.toml"


def sarif(verdict: Verdict, root: Path) -> str:
    """The findings as text.

    Args:
        verdict: what the audit found.
        root: the checkout, in whose files the findings' lines are looked for.
    """
    ids = sorted({one.ids[0] for one in verdict.findings})
    worst = {id_: max(one.severity for one in verdict.findings if one.ids[0] == id_) for id_ in ids}
    rules = [
        {
            "id": id_,
            "shortDescription": {"text": id_},
            "properties": {"security-severity": _SCORES[worst[id_]], "tags": ["security"]},
        }
        for id_ in ids
    ]
    run = {
        "tool": {"driver": {"name": "slipway audit", "rules": rules}},
        "results": [_result(one, ids.index(one.ids[0]), root) for one in verdict.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _result(one: Finding, rule: int, root: Path) -> Mapping[str, object]:
    file = _FILES.get(one.purl.partition(":")[2].partition("/")[0], _OTHERS)
    mended = f"; {one.fixed} mends it" if one.fixed else ""
    text = f"{one.name} {one.version}: {one.summary or one.ids[0]}{mended}"
    place = {
        "artifactLocation": {"uri": file, "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line_of(root / file, one.name)},
    }
    return {
        "ruleId": one.ids[0],
        "ruleIndex": rule,
        "level": _LEVELS[one.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
        # A forge takes two of the same for one, though its line has moved.
        "partialFingerprints": {"holeInPackage/v1": f"{one.ids[0]} {one.name}"},
    }


def line_of(path: Path, name: str) -> int:
    """The first line of a file that has a name in quotes, or after a slash; 1 where none has."""
    if path.is_file():
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if f'"{name}"' in line or f"/{name}" in line:
                return number
    return 1
