"""Components beside records of the OSV database."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from slipway.audit.osv import is_affected, look_up, records, severity
from slipway.audit.values import Severity
from slipway.bills.values import Component
from slipway.errors import ConfigError

WHEEL = Component("pypi", "bar-baz", "2.0", "pkg:pypi/bar-baz@2.0")
DEB = Component(
    "deb", "libfoo1", "1.2-3+b1", "pkg:deb/debian/libfoo1@1.2-3%2Bb1?distro=debian-13",
    source="foo 1.2-3",
)  # fmt: skip
GO = Component("golang", "stdlib", "go1.24.4", "pkg:golang/stdlib@1.24.4")
NPM = Component("npm", "jquery", "3.6.4", "pkg:npm/jquery@3.6.4", carrier="pkg:pypi/flower@2")
UNTOLD = Component("npm", "moment", "", "pkg:npm/moment", carrier="pkg:pypi/flower@2")
HOLDERS = {WHEEL: ("api",), DEB: ("api", "edge"), GO: ("door",), NPM: ("flower",), UNTOLD: ()}


def record(ecosystem: str, name: str, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    kind = "SEMVER" if ecosystem in ("Go", "npm") else "ECOSYSTEM"
    affected = {
        "package": {"ecosystem": ecosystem, "name": name},
        "ranges": [{"type": kind, "events": list(events)}],
    }
    return {"id": "OSV-1", "aliases": ["CVE-2026-1"], "affected": [affected], **more}


@pytest.mark.parametrize(
    ("ecosystem", "name", "fixed", "one"),
    [
        ("PyPI", "Bar_Baz", "2.0.1", WHEEL),
        ("Debian:13", "foo", "1.2-3+deb13u1", DEB),
        ("Go", "stdlib", "1.24.8", GO),
        ("npm", "jquery", "3.7.0", NPM),
    ],
)
def test_a_component_before_the_mended_version(
    ecosystem: str, name: str, fixed: str, one: Component
) -> None:
    """In every ecosystem it is found, with what mends it and who holds it."""
    row = record(ecosystem, name, {"introduced": "0"}, {"fixed": fixed}, summary="it breaks")

    (found,), source = look_up(HOLDERS, [row])

    assert (found.purl, found.fixed, found.where) == (one.purl, fixed, HOLDERS[one])
    assert found.ids == ("CVE-2026-1", "OSV-1")
    assert found.summary == "it breaks"
    assert source.asked and ecosystem.partition(":")[0] in source.said


@pytest.mark.parametrize(
    ("ecosystem", "name", "fixed"),
    [
        ("PyPI", "bar-baz", "2.0"),
        ("Debian:13", "foo", "1.2-3"),
        ("Debian:12", "foo", "9"),
        ("Debian:13", "libfoo1", "9"),
        ("Go", "stdlib", "1.24.4"),
        ("PyPI", "jquery", "9"),
        ("npm", "moment", "9"),
    ],
)
def test_what_is_mended_or_another_is_not_found(ecosystem: str, name: str, fixed: str) -> None:
    """The mended version itself, another release of Debian, another ecosystem's name."""
    row = record(ecosystem, name, {"introduced": "0"}, {"fixed": fixed})

    assert look_up(HOLDERS, [row])[0] == []


def test_a_withdrawn_record_counts_for_nothing() -> None:
    """Its makers took it back."""
    row = record("PyPI", "bar-baz", {"introduced": "0"}, withdrawn="2026-01-01T00:00:00Z")

    assert look_up(HOLDERS, [row])[0] == []


_NUMBERS = st.integers(0, 30)


@given(start=_NUMBERS, span=st.integers(1, 10), gap=st.integers(1, 5), at=st.integers(0, 60))
def test_two_ranges(start: int, span: int, gap: int, at: int) -> None:
    """From each `introduced` up to its `fixed`, in whatever order the events stand."""
    second = start + span + gap
    events = [
        {"fixed": f"1.{second + span}"},
        {"introduced": f"1.{start}"},
        {"introduced": f"1.{second}"},
        {"fixed": f"1.{start + span}"},
    ]
    affected = {"ranges": [{"type": "ECOSYSTEM", "events": events}]}

    inside = start <= at < start + span or second <= at < second + span

    assert is_affected(affected, f"1.{at}", Version) == inside


def test_the_last_affected_is_affected() -> None:
    """Where no mended version is known the last broken one is named."""
    events = [{"introduced": "1"}, {"last_affected": "2"}]
    affected = {"ranges": [{"type": "ECOSYSTEM", "events": events}]}

    assert [is_affected(affected, text, Version) for text in ("0.9", "1", "2", "2.1")] == [
        False, True, True, False,
    ]  # fmt: skip


def test_listed_versions_and_versions_without_an_order() -> None:
    """A listed version is affected; one that can't be compared is told rather than hidden."""
    listed = {"versions": ["2.0"], "ranges": []}
    strange = {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "what"}]}]}

    assert is_affected(listed, "2.0", Version)
    assert not is_affected(listed, "2.1", Version)
    assert is_affected(strange, "2.0", Version)
    assert not is_affected({"ranges": [{"type": "GIT", "events": []}]}, "2.0", Version)


@pytest.mark.parametrize(
    ("record", "worst"),
    [
        ({"database_specific": {"severity": "MODERATE"}}, Severity.MEDIUM),
        ({"severity": [{"type": "CVSS_V3",
                        "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]},
         Severity.CRITICAL),
        ({"severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N"
                        "/VA:N/SC:N/SI:N/SA:N"}]}, Severity.LOW),
        ({"severity": [{"type": "CVSS_V3", "score": "nonsense"}]}, Severity.HIGH),
        ({}, Severity.HIGH),
    ],
)  # fmt: skip
def test_how_bad(record: dict[str, Any], worst: Severity) -> None:
    """A word of the database, else the vector's, else it counts as high."""
    assert severity(record, {}) == worst


def test_an_export_is_a_zip_archive_or_json(tmp_path: Path) -> None:
    """As the database publishes them, or cut out of one."""
    rows = [record("PyPI", "a"), record("Go", "b")]
    (tmp_path / "list.json").write_text(json.dumps(rows))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for index, row in enumerate(rows):
            archive.writestr(f"{index}.json", json.dumps(row))
        archive.writestr("README", "no record")

    assert list(records(tmp_path / "list.json")) == rows
    assert list(records(tmp_path / "all.zip")) == rows


@pytest.mark.parametrize("text", ["{", "[3]", "{}"])
def test_what_is_no_export_is_refused(tmp_path: Path, text: str) -> None:
    """The file is named, and what it should be."""
    (tmp_path / "x.json").write_text(text)

    with pytest.raises(ConfigError, match=r"x\.json can't be read"):
        list(records(tmp_path / "x.json"))
    with pytest.raises(ConfigError):
        list(records(tmp_path / "absent"))
