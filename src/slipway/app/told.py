"""What was found so far, and what could not be looked at since something else was wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from slipway.errors import ConfigError, DeployError, HostError, HostUnreachable
from slipway.plan.finding import Diagnosis, Finding
from slipway.report import Report

_T = TypeVar("_T")
_WHY = {
    "host-key": "whoever answers there could be somebody else",
    "login": "every task for this host logs in first",
    "sudo": "everything there is run by sudo, without a password",
    "login-shell": "every task for this host runs commands there",
    "docker-missing": "the stack runs in Docker's containers",
    "docker-stopped": "the stack runs in Docker's containers",
    "docker-refused": "the stack runs in Docker's containers",
    "compose-missing": "the stack is started by it",
}


@dataclass(slots=True)
class Told:
    """What was found so far, and what could not be looked at."""

    found: list[Finding] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def heed(self, ask: Callable[[], _T], lost: str) -> _T | None:
        """What something asked comes to; when it fails, why is told once, and what is lost.

        Args:
            ask: asks.
            lost: what then can't be looked at.

        Raises:
            SupplyError: this machine lacks something.
        """
        try:
            return ask()
        except ConfigError as error:
            self._add(_of_checkout(error), lost)
        except (HostError, DeployError) as error:
            self._add([_of_host(error)], lost)
        return None

    def _add(self, found: Iterable[Finding], lost: str) -> None:
        self.found += [one for one in found if one not in self.found]
        self.unchecked.append(lost)

    def diagnosis(self, host: str) -> Diagnosis:
        """All of it, the errors first."""
        found = tuple(dict.fromkeys(self.found))
        errors = tuple(one for one in found if one.grave)
        return Diagnosis(
            host, (*errors, *(one for one in found if not one.grave)), tuple(self.unchecked)
        )


def _of_host(error: HostError | DeployError) -> Finding:
    """A failure of the host's as a finding."""
    cause = error.cause if isinstance(error, HostError) else ""
    code = cause or ("unreachable" if isinstance(error, HostUnreachable) else "host")
    details = f" ({' / '.join(error.details[-2:])})" if error.details else ""
    said = error.message.removesuffix("; nothing was changed there")
    return Finding(
        code,
        f"{said}{details}",
        _WHY.get(code, "every task for this host needs it"),
        error.hint or "look at the host, then ./inv host.doctor again",
    )


def _of_checkout(error: ConfigError) -> list[Finding]:
    """Each problem of the checkout's files as a finding."""
    return [
        Finding(
            "stack",
            said.removesuffix("; nothing was changed"),
            "a deploy stops at it, before it touches the host",
            error.hint or "mend it in the file that is named",
        )
        for said in error.details or (error.message,)
    ]


def diagnosis_text(diagnosis: Diagnosis, report: Report) -> str:
    """A diagnosis for people."""
    lines = []
    for one in diagnosis.findings:
        colour = "1;31" if one.grave else "1;33"
        lines += [f"{report.paint(f'{one.severity}:', colour)} {one.what}", f"  {one.why}"]
        lines += [f"  {report.paint('hint:', '1;32')} {one.hint}"]
    lines += [f"not looked at: {one}" for one in diagnosis.unchecked]
    counts = (
        (diagnosis.errors, "error"),
        (len(diagnosis.findings) - diagnosis.errors, "warning"),
    )
    said = ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts)
    lines.append(f"{diagnosis.host}: {said if diagnosis.findings else 'nothing found'}")
    return "\n".join(lines)
