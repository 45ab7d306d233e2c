"""Programs that are asked: what their answers mean, and that one which is none is told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from slipway.audit import scanners, wheels
from slipway.audit.values import Severity
from slipway.doors import Completed
from slipway.supply.locks import PythonLock, Wheel
from slipway.testing import FakeShell

LOCK = PythonLock({}, "3.13", {"a": Wheel("a", "1.0", "a-1.0-py3-none-any.whl", 1, "a" * 64)}, {})
HOLE = {"id": "PYSEC-1", "aliases": ["CVE-2026-1"], "fix_versions": ["1.1"], "description": "bad"}
KNOWN = {"dependencies": [{"name": "a", "version": "1.0", "vulns": [HOLE]}]}
SKIPPED = {"dependencies": [{"name": "a", "skip_reason": "not on the index"}]}
GRYPE = {
    "matches": [
        {
            "vulnerability": {
                "id": "GHSA-1", "severity": "Critical", "fix": {"versions": ["1.1"]},
                "description": "bad",
            },
            "relatedVulnerabilities": [{"id": "CVE-2026-1"}],
            "artifact": {"name": "a", "version": "1.0", "purl": "pkg:pypi/a@1.0"},
        }
    ]
}  # fmt: skip
TRIVY = {
    "SchemaVersion": 2,
    "Results": [
        {"Target": "no holes"},
        {
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2026-1", "PkgName": "a", "InstalledVersion": "1.0",
                    "PkgIdentifier": {"PURL": "pkg:pypi/a@1.0"}, "FixedVersion": "1.1",
                    "Severity": "LOW", "Title": "bad",
                }
            ]
        },
    ],
}  # fmt: skip


def ended(code: int, out: str, err: str = "") -> Completed:
    return Completed((), code, out.encode(), err.encode())


def test_pip_audit_answers() -> None:
    """Its holes are told under the name that others know them by."""
    shell = FakeShell()
    shell.on(sys.executable, "-m", "pip_audit", reply=ended(1, json.dumps(KNOWN)))

    (found,), source = wheels.look_up(shell, LOCK, {"a": ("api",)})

    assert found.ids == ("CVE-2026-1", "PYSEC-1")
    assert (found.purl, found.fixed, found.where) == ("pkg:pypi/a@1.0", "1.1", ("api",))
    assert (source.asked, source.said) == (True, "1 of 1 wheels at pypi")


@pytest.mark.parametrize(
    ("out", "err", "said"),
    [
        (json.dumps(SKIPPED), "", "pypi: it knows none of the wheels; osv: it knows none"),
        ("", "trace\nConnectionError: no such host", "pypi: ConnectionError: no such host; osv:"),
        ("", "", "pypi: it ended with code 1"),
    ],
)
def test_pip_audit_could_not_ask(out: str, err: str, said: str) -> None:
    """That nobody knew anything is no good news: it counts as not asked."""
    shell = FakeShell()
    shell.on(sys.executable, "-m", "pip_audit", reply=ended(1, out, err))

    found, source = wheels.look_up(shell, LOCK, {})

    assert (found, source.asked) == ([], False)
    assert source.said.startswith(said)


def test_scanners_read_our_bill() -> None:
    """Both are given the bill, and both answers are understood."""
    shell = FakeShell()
    shell.on("/bin/grype", reply=json.dumps(GRYPE))
    shell.on("/bin/trivy", reply=json.dumps(TRIVY))
    bill, where = Path("/bill.cdx.json"), {"pkg:pypi/a@1.0": ("api",)}

    (grype, one), (trivy, two) = scanners.look_up(shell, bill, where, program="/bin/{}".format)

    assert one.asked and two.asked
    assert [found.severity for found in (*grype, *trivy)] == [Severity.CRITICAL, Severity.LOW]
    assert {found.ids[0] for found in (*grype, *trivy)} == {"CVE-2026-1"}
    assert {found.where for found in (*grype, *trivy)} == {("api",)}
    assert "sbom:/bill.cdx.json" in shell.calls[0]
    assert "/bill.cdx.json" in shell.calls[1]


@pytest.mark.parametrize("out", ["", "{}", '{"matches": 3}', "no database"])
def test_a_scanner_without_a_database_is_told(out: str) -> None:
    """Its last words are the reason."""
    shell = FakeShell()
    shell.on("grype", reply=ended(1, out, "loading\nfailed to load vulnerability db\n"))
    shell.on("trivy", reply=ended(2, out))

    (none, one), (nothing, two) = scanners.look_up(shell, Path("/b"), {}, program=str)

    assert none == nothing == []
    assert (one.asked, one.said) == (False, "failed to load vulnerability db")
    assert (two.asked, two.said) == (False, "it ended with code 2")


def test_a_scanner_that_is_not_there_is_told() -> None:
    """Nothing is run."""
    told = scanners.look_up(FakeShell(), Path("/b"), {}, program=lambda name: None)

    assert [source.said for _, source in told] == ["it is not installed"] * 2
