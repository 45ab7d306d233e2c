"""``health``: ask a running API how everything is; standard library only."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from langflix.cli import output
from langflix.cli.client import STRANGER, Client
from langflix.errors import UnavailableError

#: The status with which the API says that something failed, and what.
FAILED = 503


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print each check; return 0 when nothing failed."""
    report = Client.of(arguments, environ).get("/health/detailed", also=(FAILED,))
    if not isinstance(report, dict) or "checks" not in report:
        raise UnavailableError(STRANGER)
    if arguments.json:
        output.data_json(report)
    else:
        output.data("\n".join(lines(report)))
    return 1 if report.get("status") == "failed" else 0


def lines(report: Mapping[str, object]) -> list[str]:
    """Return the report for people, one line a check."""
    told = [f"{report.get('status', 'unknown')}"]
    checks = report.get("checks")
    for name, check in (checks if isinstance(checks, dict) else {}).items():
        why = f"  {check['error']}" if "error" in check else ""
        told.append(f"  {name:<10}{check.get('status')}  {check.get('ms')} ms{why}")
    return told
