"""``health``: ask a running API how everything is; standard library only."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

from langflix.cli import output
from langflix.errors import SettingsError, UnavailableError

TIMEOUT_S = 10
MAX_BYTES = 1024 * 1024


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print each check; return 0 when nothing failed."""
    report = ask(arguments.url)
    if arguments.json:
        output.data_json(report)
    else:
        output.data("\n".join(lines(report)))
    return 1 if report.get("status") == "failed" else 0


def ask(url: str) -> dict[str, object]:
    """Return the API's detailed health; raises UnavailableError when there is none to be had."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError([f"--url must be an address like http://host:8000, got {url!r}"])
    where = url.rstrip("/") + "/health/detailed"
    try:
        with urlopen(where, timeout=TIMEOUT_S) as answer:  # noqa: S310  the scheme is checked
            body = answer.read(MAX_BYTES)
    except HTTPError as error:
        body = error.read(MAX_BYTES)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise UnavailableError(f"{url} does not answer: {reason}") from error
    return _parsed(url, body)


def lines(report: Mapping[str, object]) -> list[str]:
    """Return the report for people, one line a check."""
    told = [f"{report.get('status', 'unknown')}"]
    checks = report.get("checks")
    for name, check in (checks if isinstance(checks, dict) else {}).items():
        why = f"  {check['error']}" if "error" in check else ""
        told.append(f"  {name:<10}{check.get('status')}  {check.get('ms')} ms{why}")
    return told


def _parsed(url: str, body: bytes) -> dict[str, object]:
    try:
        report = json.loads(body)
    except ValueError:
        report = None
    if not isinstance(report, dict) or "checks" not in report:
        raise UnavailableError(f"{url} answers, but not as LangFlix does")
    return report
