"""Locked Debian packages beside the newest ones that the signed indexes list."""

from __future__ import annotations

from collections.abc import Iterable

from debian.debian_support import NativeVersion
from packageurl import PackageURL

from slipway.audit.values import Finding, Severity, Source
from slipway.supply.locks import DebianLock, Package

NAME = "debian"


def newer(lock: DebianLock, listed: Iterable[Package]) -> list[Finding]:
    """Packages of which an index lists a newer version than the locked one.

    One from the security archive mends a hole (``high``); one from elsewhere may (``low``).

    Args:
        lock: the lock.
        listed: every entry of the signed indexes for its packages' names.
    """
    best: dict[str, Package] = {}
    for entry in listed:
        locked = lock.packages.get(entry.name)
        if locked is None or NativeVersion(entry.version) <= NativeVersion(locked.version):
            continue
        there = best.get(entry.name)
        if there is None or _rank(entry) > _rank(there):
            best[entry.name] = entry
    return [_finding(lock, lock.packages[name], best[name]) for name in sorted(best)]


def _rank(entry: Package) -> tuple[bool, NativeVersion]:
    return _is_security(entry), NativeVersion(entry.version)


def _is_security(entry: Package) -> bool:
    return entry.archive == "debian-security"


def _finding(lock: DebianLock, locked: Package, entry: Package) -> Finding:
    secure = _is_security(entry)
    purl = PackageURL("deb", "debian", locked.name, locked.version).to_string()
    return Finding(
        ids=(f"{entry.suite}/{locked.source}",),
        severity=Severity.HIGH if secure else Severity.LOW,
        purl=purl,
        name=locked.name,
        version=locked.version,
        where=tuple(group for group, names in lock.groups.items() if locked.name in names),
        summary=f"{entry.suite} has {entry.version}" + (", a security update" if secure else ""),
        fixed=entry.version,
        sources=(NAME,),
    )


def asked(lock: DebianLock, stamps: Iterable[str]) -> Source:
    """That the indexes were asked, with their dates."""
    dates = ", ".join(stamps)
    return Source(NAME, True, f"{len(lock.packages)} packages in the signed indexes of {dates}")
