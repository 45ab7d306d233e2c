"""What is wrong with a host or with what is to stand on it, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One trouble, found before it bites.

    Attributes:
        code: what it is, for programs; such as ``docker-old``.
        what: what was seen, a sentence without its full stop.
        why: what comes of it.
        hint: the next command or step.
        severity: ``error`` for what a deploy or the stack fails of, else ``warning``.
    """

    code: str
    what: str
    why: str
    hint: str
    severity: Severity = "error"

    @property
    def grave(self) -> bool:
        """Whether a deploy or the stack fails of it."""
        return self.severity == "error"

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "code": self.code,
            "severity": self.severity,
            "what": self.what,
            "why": self.why,
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found.

    Attributes:
        host: its name.
        findings: the errors first.
        unchecked: what could not be looked at, each with its reason.
    """

    host: str
    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        """How many of the findings are errors."""
        return sum(one.grave for one in self.findings)

    @property
    def exit_code(self) -> int:
        """0 without errors; 2 when all of them are the checkout's; else 4."""
        if not self.errors:
            return 0
        return 2 if all(one.code == "stack" for one in self.findings if one.grave) else 4

    def to_json(self) -> dict[str, object]:
        """What ``host.doctor --json`` prints."""
        return {
            "host": self.host,
            "errors": self.errors,
            "warnings": len(self.findings) - self.errors,
            "findings": [one.to_json() for one in self.findings],
            "unchecked": list(self.unchecked),
        }
