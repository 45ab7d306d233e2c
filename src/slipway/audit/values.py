"""What an audit found, as values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum


class Severity(IntEnum):
    """How bad a finding is; one of which nobody says it counts as ``high``."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """As people and reports write it."""
        return self.name.lower()


def severity_of(word: str) -> Severity:
    """A severity from a word of a scanner or a database: Debian's and GitHub's words as well."""
    plain = word.strip().lower()
    known = {
        "critical": Severity.CRITICAL,
        "high": Severity.HIGH,
        "medium": Severity.MEDIUM,
        "moderate": Severity.MEDIUM,
        "low": Severity.LOW,
        "negligible": Severity.LOW,
        "unimportant": Severity.LOW,
        "none": Severity.LOW,
    }
    return known.get(plain, Severity.HIGH)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something known against a component.

    Attributes:
        ids: its names, the one to speak of first, such as ``CVE-2025-47907``.
        severity: how bad.
        purl: package URL of the component.
        name: its name.
        version: its version.
        where: roles whose images hold it, or groups of the lock.
        summary: a sentence.
        fixed: the version that mends it; empty where none is known.
        sources: who said so.
    """

    ids: tuple[str, ...]
    severity: Severity
    purl: str
    name: str
    version: str
    where: tuple[str, ...]
    summary: str
    fixed: str
    sources: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return {
            "id": self.ids[0],
            "aliases": list(self.ids[1:]),
            "severity": self.severity.word,
            "purl": self.purl,
            "name": self.name,
            "version": self.version,
            "where": list(self.where),
            "summary": self.summary,
            "fixed": self.fixed,
            "sources": list(self.sources),
        }


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody who was to be asked.

    Attributes:
        name: such as ``debian`` or ``pip-audit``.
        asked: whether it answered.
        said: what it knows and how much it was asked, or why it could not be.
    """

    name: str
    asked: bool
    said: str

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return {"name": self.name, "asked": self.asked, "said": self.said}


@dataclass(frozen=True, slots=True)
class Statement:
    """Why a finding does not count.

    Attributes:
        id: the finding's name, or one of its aliases.
        package: name of the component, or its whole package URL; empty for any.
        reason: why.
        until: the last day on which it holds.
        place: file that it stands in.
        affected: a VEX statement that it does count: ``exploitable`` or ``in_triage``.
    """

    id: str
    package: str
    reason: str
    until: date
    place: str
    affected: bool = False

    def covers(self, finding: Finding) -> bool:
        """Whether it speaks of a finding."""
        named = self.package in ("", finding.name, finding.purl)
        return not self.affected and named and self.id in finding.ids

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return {
            "id": self.id,
            "package": self.package,
            "reason": self.reason,
            "until": self.until.isoformat(),
            "place": self.place,
        }


def merged(findings: list[Finding]) -> list[Finding]:
    """Findings sorted, worst first; what several sources told of one component once."""
    done: list[Finding] = []
    for one in sorted(findings, key=lambda one: (one.purl, one.ids)):
        same = next(
            (
                index
                for index, other in enumerate(done)
                if other.purl == one.purl and set(other.ids) & set(one.ids)
            ),
            None,
        )
        if same is None:
            done.append(one)
        else:
            done[same] = _joined(done[same], one)
    return sorted(done, key=lambda one: (-one.severity, one.name, one.version, one.ids))


def _joined(first: Finding, second: Finding) -> Finding:
    return replace(
        first,
        ids=tuple(dict.fromkeys((*first.ids, *second.ids))),
        severity=max(first.severity, second.severity),
        where=tuple(sorted({*first.where, *second.where})),
        fixed=first.fixed or second.fixed,
        sources=tuple(dict.fromkeys((*first.sources, *second.sources))),
    )
