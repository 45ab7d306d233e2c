"""An audit's wish is read before anything is built; who can't be asked is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.bills import place

from slipway.app import audit
from slipway.audit.values import Severity
from slipway.bills.inventory import bill_of
from slipway.errors import ConfigError, LockError
from slipway.report import Report
from slipway.supply.fetch import read_locks
from slipway.supply.places import Places
from slipway.testing import FakeShell

ROOT = Path(__file__).parents[3]


def test_an_unknown_severity_is_refused() -> None:
    """With the known ones, before anything is built or asked."""
    with pytest.raises(ConfigError, match="there is no severity bad") as caught:
        audit.read_wish(ROOT, "bad", ())
    assert caught.value.hint == "the severities are low, medium, high, critical"


def test_an_export_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The file is named."""
    with pytest.raises(ConfigError, match=r"gone\.zip can't be read"):
        audit.read_wish(ROOT, "low", (str(tmp_path / "gone.zip"),))


def test_a_wish(tmp_path: Path) -> None:
    """The checkout's statements, and the severity."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/audit.toml").write_text(
        'format = 1\n[[exception]]\nid = "CVE-1"\nreason = "r"\nuntil = 2027-01-31\n'
    )

    wish = audit.read_wish(tmp_path, "medium", ())

    assert (wish.fail_on, wish.exports) == (Severity.MEDIUM, {})
    assert [one.id for one in wish.statements] == ["CVE-1"]


def test_a_component_is_held_by_roles(tmp_path: Path) -> None:
    """Once, whatever its places, with every role that holds it."""
    bills = [
        bill_of(place.image_at(tmp_path / role, role=role), place.locks(), place.DECLARED)
        for role in ("api", "worker")
    ]
    moved = tuple(replace(one, places=("/other",)) for one in bills[1].components)

    holders = audit.holders_of([bills[0], replace(bills[1], components=moved)])

    assert len(holders) == len(bills[0].components)
    assert set(holders.values()) == {("api", "worker")}


def test_without_debians_indexes_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror that can't be reached is no finding and no failure: it is said."""

    def unreachable(shell: object, report: object) -> None:
        raise LockError("no mirror", details=["timed out", "and more"])

    monkeypatch.setattr(audit, "ensure_signatures", unreachable)
    lock = read_locks(Places(ROOT)).debian

    found, source = audit._debian(FakeShell(), ROOT, lock, Report(quiet=True))

    assert found == []
    assert (source.name, source.asked, source.said) == ("debian", False, "no mirror; timed out")
