"""``./inv audit``: everybody who may know something is asked about what the images hold."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway import config
from slipway.app.bills import make_bills
from slipway.audit import debian, osv, scanners, wheels
from slipway.audit.judge import Verdict, judge
from slipway.audit.statements import read_statements
from slipway.audit.values import Finding, Severity, Source, Statement
from slipway.bills.cyclonedx import cyclonedx
from slipway.bills.values import Bill, Component
from slipway.doors import Clock, Shell
from slipway.errors import ConfigError, SupplyError
from slipway.images.values import Image
from slipway.report import Report
from slipway.supply.apt import Apt
from slipway.supply.fetch import read_locks
from slipway.supply.locks import DebianLock
from slipway.supply.mirrors import Finder
from slipway.supply.places import Places
from slipway.supply.ready import ensure_signatures

Told = tuple[list[Finding], Source]


@dataclass(frozen=True, slots=True)
class Wish:
    """What an audit is asked, read before anything is built.

    Attributes:
        fail_on: the least severity that lets it fail.
        statements: why findings don't count.
        exports: file to records of the OSV database.
    """

    fail_on: Severity
    statements: tuple[Statement, ...]
    exports: dict[str, tuple[Mapping[str, Any], ...]]


def read_wish(root: Path, fail_on: str, exports: Sequence[str]) -> Wish:
    """Read what an audit needs of flags and files.

    Raises:
        ConfigError: a word or a file is wrong.
    """
    words = [one.word for one in Severity]
    if fail_on not in words:
        raise ConfigError(
            f"there is no severity {fail_on}", hint=f"the severities are {', '.join(words)}"
        )
    return Wish(
        Severity[fail_on.upper()],
        read_statements(root),
        {name: tuple(osv.records(Path(name))) for name in exports},
    )


def audit(
    shell: Shell,
    clock: Clock,
    root: Path,
    images: Sequence[Image],
    report: Report,
    wish: Wish,
) -> Verdict:
    """Ask every source that can be asked, and hold what they say against the statements.

    Args:
        images: built; their bills say what is in them.

    Raises:
        ConfigError: ``deploy/vendored.toml`` has problems.
        SupplyError: a lock can't be read, or an image holds what it says nothing of.
    """
    settings = config.load(root)
    locks, bills = read_locks(Places(root)), make_bills(root, images, report)
    holders = holders_of(bills)
    told: list[Told] = [_debian(shell, root, locks.debian, report)]
    for name, records in wish.exports.items():
        report.step("audit", f"{len(holders)} components in {name}")
        told.append(osv.look_up(holders, records))
    if not wish.exports:
        told.append(([], Source(osv.NAME, False, "no export was given: --osv FILE")))
    report.step("audit", f"{len(locks.python.wheels)} wheels, by pip-audit")
    told.append(wheels.look_up(shell, locks.python, _by_name(holders)))
    told += _scanners(shell, bills, settings.application, holders)
    findings = [finding for found, _ in told for finding in found]
    sources = [source for _, source in told]
    return judge(findings, sources, wish.statements, clock.now().date(), wish.fail_on)


def holders_of(bills: Sequence[Bill]) -> dict[Component, tuple[str, ...]]:
    """Each component, whatever its place in an image, with the roles that hold it."""
    found: dict[str, tuple[Component, tuple[str, ...]]] = {}
    for bill in bills:
        for one in bill.components:
            first, roles = found.get(one.purl, (one, ()))
            found[one.purl] = first, tuple(dict.fromkeys((*roles, bill.role)))
    return dict(found.values())


def _by_name(holders: Mapping[Component, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {one.name: roles for one, roles in holders.items() if one.kind == "pypi"}


def _debian(shell: Shell, root: Path, lock: DebianLock, report: Report) -> Told:
    report.step("audit", f"{len(lock.packages)} Debian packages, in the signed indexes")
    settings, places = config.load(root), Places(root)
    try:
        ensure_signatures(shell, report)
        mirrors = Finder(shell, settings.mirrors, os.environ, report)
        apt = Apt(shell, places.apt, settings, mirrors())
        apt.update()
        stamps = [f"{index.suite} {index.stamp[:8]}" for index in apt.indexes()]
        return debian.newer(lock, apt.listed(lock.packages)), debian.asked(lock, stamps)
    except SupplyError as error:
        return [], Source(debian.NAME, False, "; ".join((error.message, *error.details[:1])))


def _scanners(
    shell: Shell,
    bills: Sequence[Bill],
    application: str,
    holders: Mapping[Component, tuple[str, ...]],
) -> list[Told]:
    where = {one.purl: roles for one, roles in holders.items()}
    with tempfile.TemporaryDirectory() as folder:
        bill = Path(folder) / f"{application}.cdx.json"
        bill.write_text(cyclonedx(bills, application), "utf-8")
        return scanners.look_up(shell, bill, where)
