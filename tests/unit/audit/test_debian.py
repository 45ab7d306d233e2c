"""Locked Debian packages beside the newest of the signed indexes."""

from __future__ import annotations

from dataclasses import replace

from slipway.audit.debian import newer
from slipway.audit.values import Severity
from slipway.supply.locks import DebianLock, Package

FOO = Package("foo", "1.0-1", "foo-source", "debian", "trixie", "pool/f.deb", 1, "a" * 64)
LOCK = DebianLock({}, (), {"foo": FOO}, {"image.api": ("foo",), "rehearsal": ("foo",)}, "")


def entry(version: str, suite: str = "trixie") -> Package:
    archive = "debian-security" if suite.endswith("security") else "debian"
    return replace(FOO, version=version, suite=suite, archive=archive)


def test_the_newest_is_locked() -> None:
    """The same version, and older ones, are no finding."""
    assert newer(LOCK, [entry("1.0-1"), entry("0.9"), entry("1.0-1~deb13u1")]) == []


def test_a_security_update_is_grave() -> None:
    """It is told with its version, its source and everything that holds the package."""
    (found,) = newer(LOCK, [entry("1.0-1"), entry("1.0-1+deb13u1", "trixie-security")])

    assert found.ids == ("trixie-security/foo-source",)
    assert (found.severity, found.fixed) == (Severity.HIGH, "1.0-1+deb13u1")
    assert found.where == ("image.api", "rehearsal")
    assert found.purl == "pkg:deb/debian/foo@1.0-1"


def test_another_update_is_not() -> None:
    """A point release may mend a hole, and mostly mends other things."""
    (found,) = newer(LOCK, [entry("1.0-2")])

    assert (found.severity, found.ids) == (Severity.LOW, ("trixie/foo-source",))


def test_security_goes_before_a_newer_one_from_elsewhere() -> None:
    """One finding a package: that it is a security update is not hidden by a newer version."""
    (found,) = newer(LOCK, [entry("1.0-1+deb13u1", "trixie-security"), entry("1.0-2")])

    assert (found.severity, found.fixed) == (Severity.HIGH, "1.0-1+deb13u1")


def test_versions_are_debians() -> None:
    """An epoch and a tilde count as dpkg counts them."""
    assert len(newer(LOCK, [entry("1:0.1")])) == 1
    assert newer(LOCK, [entry("1.0-1~rc1")]) == []
