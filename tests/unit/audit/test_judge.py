"""What counts of what was found, and when an audit is passed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.audit.judge import Failed, Verdict, judge
from slipway.audit.sarif import sarif
from slipway.audit.values import Finding, Severity, Source, Statement, merged

TODAY = date(2026, 11, 27)
FOUND = Finding(
    ("CVE-2026-1", "GHSA-1"), Severity.HIGH, "pkg:pypi/a@1", "a", "1", ("api",), "bad", "2", ("x",)
)
SOURCES = (Source("debian", True, "all"), Source("osv", False, "no export"))
EXCEPTION = Statement("GHSA-1", "a", "not used", TODAY, "deploy/audit.toml")


def verdict(
    *statements: Statement, fail_on: Severity = Severity.HIGH, found: Any = (FOUND,)
) -> Verdict:
    return judge(found, SOURCES, statements, TODAY, fail_on)


@pytest.mark.parametrize("fail_on", Severity)
def test_it_fails_from_a_severity_on(fail_on: Severity) -> None:
    """A high finding fails an audit at low, medium and high, and not at critical."""
    assert verdict(fail_on=fail_on).passed == (fail_on > Severity.HIGH)


def test_an_exception_holds_to_its_last_day() -> None:
    """By any name of the finding; it is told with its reason."""
    done = verdict(EXCEPTION)

    assert done.passed and not done.findings
    assert done.excused == ((FOUND, EXCEPTION),)


def test_an_expired_exception_fails_whatever_was_found() -> None:
    """Nobody looked again: the finding counts, and the audit fails without one as well."""
    old = replace(EXCEPTION, until=TODAY - timedelta(days=1))

    assert verdict(old).findings == (FOUND,)
    assert not verdict(old, fail_on=Severity.CRITICAL).passed
    assert not verdict(old, found=()).passed


@pytest.mark.parametrize(
    "other",
    [
        replace(EXCEPTION, id="CVE-2026-2"),
        replace(EXCEPTION, package="b"),
        replace(EXCEPTION, package="pkg:pypi/a@2"),
        replace(EXCEPTION, affected=True),
    ],
)
def test_a_statement_of_something_else_excuses_nothing(other: Statement) -> None:
    """Another hole, package or version; or one that says that it does count."""
    assert verdict(other).findings == (FOUND,)


def test_an_exception_that_nothing_needs_is_told() -> None:
    """It may go; a VEX statement may stand for scanners that know more."""
    vex = replace(EXCEPTION, place="deploy/vex.json")

    assert verdict(EXCEPTION, vex, found=()).idle == (EXCEPTION,)


def test_what_several_tell_is_one_finding() -> None:
    """The worst severity, all names and sources; another package's stays its own."""
    second = replace(FOUND, ids=("GHSA-1",), severity=Severity.CRITICAL, sources=("y",), fixed="")
    other = replace(FOUND, purl="pkg:pypi/b@1", name="b")

    first, last = merged([other, second, FOUND])

    assert (first.severity, first.fixed, set(first.sources)) == (
        Severity.CRITICAL, "2", {"x", "y"},
    )  # fmt: skip
    assert last.name == "b"


def test_a_failure_says_all_of_it() -> None:
    """The report is the failure's details, and its fields the failure's JSON."""
    error = Failed(verdict())

    assert error.exit_code == 7
    assert error.message == "1 finding is high or worse; what runs is as it was"
    assert any("CVE-2026-1" in line and "api" in line for line in error.details)
    assert "osv could not be asked: no export" in error.details
    value: Any = error.to_json()
    assert value["findings"][0]["id"] == "CVE-2026-1"
    assert value["sources"][1] == {"name": "osv", "asked": False, "said": "no export"}
    json.dumps(value)


def test_sarif_points_at_the_line_of_the_lock(tmp_path: Path) -> None:
    """A forge shows each finding where its package is locked, with how bad it is."""
    lock = tmp_path / "nix/locks/python.json"
    lock.parent.mkdir(parents=True)
    lock.write_text('{\n  "b": 1,\n  "a": {"name": "a"}\n}\n')

    value: Any = json.loads(sarif(verdict(), tmp_path))

    (run,) = value["runs"]
    (result,), (rule,) = run["results"], run["tool"]["driver"]["rules"]
    place = result["locations"][0]["physicalLocation"]
    assert value["version"] == "2.1.0"
    assert place["artifactLocation"]["uri"] == "nix/locks/python.json"
    assert place["region"] == {"startLine": 3}
    assert (result["level"], rule["properties"]["security-severity"]) == ("error", "8.0")
    assert result["ruleId"] == rule["id"] == "CVE-2026-1"
    assert "2 mends it" in result["message"]["text"]
