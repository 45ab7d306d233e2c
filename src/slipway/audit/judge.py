"""What of the findings counts, and whether the audit is passed; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from slipway.audit.values import Finding, Severity, Source, Statement, merged
from slipway.errors import KnownHoles
from slipway.report import table


@dataclass(frozen=True, slots=True)
class Verdict:
    """An audit's result.

    Attributes:
        sources: who was asked, and who could not be.
        findings: those that count, worst first.
        excused: those that a statement speaks for, with it.
        expired: statements past their end; each lets the audit fail.
        idle: exceptions that no finding needs any more.
        fail_on: the least severity that lets the audit fail.
    """

    sources: tuple[Source, ...]
    findings: tuple[Finding, ...]
    excused: tuple[tuple[Finding, Statement], ...]
    expired: tuple[Statement, ...]
    idle: tuple[Statement, ...]
    fail_on: Severity

    @property
    def grave(self) -> tuple[Finding, ...]:
        """The findings that let the audit fail."""
        return tuple(one for one in self.findings if one.severity >= self.fail_on)

    @property
    def passed(self) -> bool:
        """Whether nothing lets it fail."""
        return not self.grave and not self.expired

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return {
            "passed": self.passed,
            "fail_on": self.fail_on.word,
            "sources": [one.to_json() for one in self.sources],
            "findings": [one.to_json() for one in self.findings],
            "excused": [
                one.to_json() | {"statement": statement.to_json()}
                for one, statement in self.excused
            ],
            "expired": [one.to_json() for one in self.expired],
            "idle": [one.to_json() for one in self.idle],
        }

    def to_text(self) -> str:
        """The form that people read."""
        rows = [
            (
                one.severity.word,
                one.ids[0],
                f"{one.name} {one.version}",
                one.fixed or "-",
                ", ".join(one.where),
            )
            for one in self.findings
        ]
        parts = []
        if rows:
            parts.append(table(rows, head=("SEVERITY", "ID", "WHAT", "MENDED BY", "WHERE")))
        parts += [f"expired: {_words(one)}" for one in self.expired]
        parts += [f"not needed any more: {_words(one)}" for one in self.idle]
        parts += [
            f"{one.name}: {one.said}" if one.asked else f"{one.name} could not be asked: {one.said}"
            for one in self.sources
        ]
        excused = f", {len(self.excused)} more have a reason not to" if self.excused else ""
        noun = "finding counts" if len(self.findings) == 1 else "findings count"
        parts.append(f"{len(self.findings)} {noun}{excused}")
        return "\n".join(parts)


def _words(one: Statement) -> str:
    return f"{one.place}: {one.id} {one.package}".rstrip() + f", until {one.until}: {one.reason}"


def judge(
    findings: Sequence[Finding],
    sources: Sequence[Source],
    statements: Sequence[Statement],
    today: date,
    fail_on: Severity,
) -> Verdict:
    """Hold findings against the statements about them.

    Args:
        findings: of all sources.
        sources: those that were to be asked.
        statements: exceptions and VEX.
        today: the day it is; a statement holds to the end of its last day.
        fail_on: the least severity that lets the audit fail.
    """
    alive = [one for one in statements if one.until >= today]
    counted: list[Finding] = []
    excused: list[tuple[Finding, Statement]] = []
    for finding in merged(list(findings)):
        reason = next((one for one in alive if one.covers(finding)), None)
        if reason is None:
            counted.append(finding)
        else:
            excused.append((finding, reason))
    used = {statement for _, statement in excused}
    return Verdict(
        sources=tuple(sources),
        findings=tuple(counted),
        excused=tuple(excused),
        expired=tuple(one for one in statements if one.until < today),
        idle=tuple(one for one in alive if one not in used and one.place.endswith(".toml")),
        fail_on=fail_on,
    )


class Failed(KnownHoles):
    """An audit that is not passed.

    Args:
        verdict: its result.
    """

    def __init__(self, verdict: Verdict) -> None:
        count = len(verdict.grave)
        parts = []
        if count:
            noun = "finding is" if count == 1 else "findings are"
            parts.append(f"{count} {noun} {verdict.fail_on.word} or worse")
        if verdict.expired:
            noun = "statement has" if len(verdict.expired) == 1 else "statements have"
            parts.append(f"{len(verdict.expired)} {noun} expired")
        super().__init__(
            f"{' and '.join(parts)}; what runs is as it was",
            details=verdict.to_text().splitlines(),
            hint="./inv lock --update takes what mends them; what does not concern this stack gets "
            "a reason and an end in deploy/audit.toml or deploy/vex.json",
            stage="audit",
        )
        self.verdict = verdict

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints: an error's, with the verdict."""
        return super().to_json() | self.verdict.to_json()
