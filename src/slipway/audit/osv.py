"""Components beside an export of the OSV database, without a network.

Format: OSV schema 1.6 (ossf.github.io/osv-schema): a zip archive of one JSON file a record, as the
database publishes for each ecosystem (``PyPI/all.zip``), or a JSON file of one record or a list.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cvss import CVSS2, CVSS3, CVSS4
from cvss.exceptions import CVSSError
from debian.debian_support import NativeVersion
from packageurl import PackageURL
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from semantic_version import Version as SemVer

from slipway.audit.values import Finding, Severity, Source, severity_of
from slipway.bills.values import DEB, GO, WHEEL, Component
from slipway.errors import ConfigError

NAME = "osv"
_LONGEST = 140
Compare = Callable[[str], Any]


def records(path: Path) -> Iterator[Mapping[str, Any]]:
    """The records of an export.

    Raises:
        ConfigError: it can't be read, or is neither a zip archive nor JSON.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                texts = (archive.read(name) for name in archive.namelist() if _is_json(name))
                for text in texts:
                    yield from _rows(json.loads(text))
        else:
            yield from _rows(json.loads(path.read_bytes()))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"{path} can't be read as an export of OSV: {error}",
            hint="an ecosystem's all.zip, or a JSON file of records",
            stage="audit",
        ) from error


def _is_json(name: str) -> bool:
    return name.endswith(".json")


def _rows(value: Any) -> Iterator[Mapping[str, Any]]:
    for row in value if isinstance(value, list) else [value]:
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            raise ValueError("a record has no id")
        yield row


def look_up(
    components: Mapping[Component, tuple[str, ...]], database: Iterable[Mapping[str, Any]]
) -> tuple[list[Finding], Source]:
    """What a database knows against components.

    Args:
        components: each with the roles that hold it.
        database: its records.
    """
    by_key: dict[tuple[str, str], list[Component]] = {}
    for one in components:
        if (key := _key(one)) is not None:
            by_key.setdefault(key, []).append(one)
    found, count, ecosystems = [], 0, set()
    for record in database:
        if record.get("withdrawn"):
            continue
        count += 1
        for affected in record.get("affected", ()):
            package = affected.get("package", {})
            ecosystem = str(package.get("ecosystem", ""))
            ecosystems.add(ecosystem.partition(":")[0])
            for one in by_key.get((ecosystem, _normal(ecosystem, package.get("name", ""))), ()):
                if is_affected(affected, _version(one), _order(ecosystem)):
                    found.append(_finding(record, affected, one, components[one]))
    said = f"{count} records of {', '.join(sorted(filter(None, ecosystems))) or 'nothing'}"
    return found, Source(NAME, True, said)


def _key(one: Component) -> tuple[str, str] | None:
    """How OSV names a component: ecosystem and name; None where it has no such ecosystem."""
    ecosystems = {WHEEL: "PyPI", GO: "Go", "npm": "npm", "cargo": "crates.io"}
    if not one.version:
        return None
    if one.kind == DEB:
        distro = str(PackageURL.from_string(one.purl).qualifiers.get("distro", ""))
        return f"Debian:{distro.rpartition('-')[2]}", one.source.split(" ")[0]
    if one.kind in ecosystems:
        return ecosystems[one.kind], one.name
    return None


def _normal(ecosystem: str, name: str) -> str:
    return canonicalize_name(name) if ecosystem == "PyPI" else name


def _version(one: Component) -> str:
    """The version that OSV speaks of: a source package's, a module's without ``v`` or ``go``."""
    if one.kind == DEB:
        return one.source.split(" ")[1]
    return one.version.removeprefix("go").removeprefix("v") if one.kind == GO else one.version


def _order(ecosystem: str) -> Compare:
    if ecosystem == "PyPI":
        return Version
    return NativeVersion if ecosystem.startswith("Debian") else SemVer.coerce


def is_affected(affected: Mapping[str, Any], version: str, order: Compare) -> bool:
    """Whether a version is among those that a record's entry names.

    Args:
        affected: an entry of ``affected``.
        version: the component's.
        order: makes a version comparable.
    """
    if version in affected.get("versions", ()):
        return True
    try:
        ranges = [row for row in affected.get("ranges", ()) if row.get("type") != "GIT"]
        return any(_in_range(row.get("events", ()), order(version), order) for row in ranges)
    except (InvalidVersion, ValueError, TypeError):
        return True  # one that can't be compared is told rather than hidden


def _in_range(events: Sequence[Mapping[str, str]], version: Any, order: Compare) -> bool:
    """The evaluation that the schema describes: the last event at or before the version counts."""
    inside = False
    for kind, value in sorted(
        (pair for event in events for pair in event.items()),
        key=lambda pair: (pair[1] != "0", order(pair[1]) if pair[1] != "0" else order("0")),
    ):
        if kind == "introduced" and (value == "0" or version >= order(value)):
            inside = True
        elif (kind == "fixed" and version >= order(value)) or (
            kind == "last_affected" and version > order(value)
        ):
            inside = False
    return inside


def _finding(
    record: Mapping[str, Any],
    affected: Mapping[str, Any],
    one: Component,
    where: tuple[str, ...],
) -> Finding:
    names = [record["id"], *record.get("aliases", ()), *record.get("upstream", ())]
    first = [name for name in names if name.startswith("CVE-")]
    text = str(record.get("summary") or record.get("details") or "").strip().splitlines()
    fixed = [
        event["fixed"]
        for row in affected.get("ranges", ())
        if row.get("type") != "GIT"
        for event in row.get("events", ())
        if "fixed" in event
    ]
    return Finding(
        ids=tuple(dict.fromkeys((*first, *names))),
        severity=severity(record, affected),
        purl=one.purl,
        name=one.name,
        version=one.version,
        where=where,
        summary=text[0][:_LONGEST] if text else "",
        fixed=fixed[-1] if fixed else "",
        sources=(NAME,),
    )


def severity(record: Mapping[str, Any], affected: Mapping[str, Any]) -> Severity:
    """How bad a record says it is: a word of the database, or the worst of its CVSS vectors."""
    for table in (affected.get("ecosystem_specific"), record.get("database_specific")):
        if isinstance(table, dict) and isinstance(word := table.get("severity"), str):
            return severity_of(word)
    vectors = [*affected.get("severity", ()), *record.get("severity", ())]
    words = [word for row in vectors if (word := _word(str(row.get("score", ""))))]
    return max(map(severity_of, words), default=Severity.HIGH)


def _word(vector: str) -> str:
    try:
        if vector.startswith("CVSS:4"):
            return str(CVSS4(vector).severity)
        kind = CVSS3 if vector.startswith("CVSS:3") else CVSS2
        return str(kind(vector).severities()[0])
    except CVSSError:
        return ""
