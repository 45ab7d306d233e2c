"""Every error slipway raises on purpose, and the exit code each one ends with.

    SlipwayError
    ├── ConfigError        2  the operator's files or flags are wrong
    ├── SupplyError        3  an input could not be locked, fetched or built
    │   ├── LockError         a lock is missing, corrupt or of an unknown format
    │   ├── FetchError        a locked file could not be had, or has other bytes
    │   └── BuildError        Nix failed, or an image differs from its description
    ├── HostError          4  the host can't be reached or can't be used
    │   ├── HostUnreachable   no connection, wrong host key, no login
    │   │   └── HostAway      the connection broke, or nobody answers for now
    │   ├── RegistryError     a registry of images can't be reached, or refuses
    │   └── CommandFailed     a command on the host (or here) ended badly
    ├── DeployError        5  the deploy stopped; what ran before still runs
    │   ├── DeployBroken   6  the deploy stopped and could not be undone
    │   └── Interrupted  130  somebody pressed Ctrl-C; what ran before still runs
    └── KnownHoles         7  an audit found what is known to be unsafe

A message says what failed and what still works; ``hint`` is the next command to type.
Library code raises; ``tasks`` is the only place that prints an error and exits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


class SlipwayError(Exception):
    """Base of all expected failures.

    Args:
        message: one sentence for a person: what failed, why, what still works.
        hint: the next command or step, without the word ``hint:``.
        stage: the step of the work that failed, for example ``"transfer"``.
        details: further lines, such as the last lines of a container's log.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        stage: str | None = None,
        details: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.stage = stage
        self.details = tuple(details)

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints: ``{error, stage, hint, exit_code}``."""
        return {
            "error": self.message,
            "stage": self.stage,
            "hint": self.hint,
            "exit_code": self.exit_code,
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file.

    Attributes:
        where: the path inside the file, such as ``image.api.debian[2]``.
        what: what is wrong there, such as ``should be a string, got 3``.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class ConfigError(SlipwayError):
    """The operator's files or flags are wrong; nothing was touched."""

    exit_code = 2

    @classmethod
    def from_problems(
        cls, file: str, problems: Sequence[Problem], *, hint: str | None = None
    ) -> ConfigError:
        """One error that names every problem of ``file``."""
        count = len(problems)
        noun = "problem" if count == 1 else "problems"
        return cls(
            f"{file} has {count} {noun}; nothing was changed",
            hint=hint,
            stage="config",
            details=[f"{file}: {problem}" for problem in problems],
        )


class SupplyError(SlipwayError):
    """An input could not be locked, fetched or built."""

    exit_code = 3


class LockError(SupplyError):
    """A lock is missing, corrupt or of an unknown format."""


class FetchError(SupplyError):
    """A locked file could not be had, or its bytes are not the locked ones."""


class BuildError(SupplyError):
    """Nix failed, or an image differs from what its description promised."""


class HostError(SlipwayError):
    """The host can't be reached or can't be used.

    Attributes:
        cause: a word for it that programs tell it by, such as ``host-key``; empty when there is
            none of its own.
    """

    exit_code = 4
    cause = ""

    def by(self, cause: str) -> Self:
        """The same error, with its cause named."""
        self.cause = cause
        return self


class HostUnreachable(HostError):
    """No connection, a host key that isn't the known one, or no login."""


class HostAway(HostUnreachable):
    """The connection broke, or nobody answers: later the same may work, with nothing changed."""


class RegistryError(HostError):
    """A registry of images can't be reached, or does not take what it is sent."""


class CommandFailed(HostError):
    """A command ended with a code other than 0, or ran out of time.

    Args:
        argv: the command, one string an argument; never holds a secret.
        exit_code_: the code it ended with, or None when it was stopped by its time limit.
        stderr: what it wrote to standard error, of which the last twenty lines are kept.
        where: the host's name.
    """

    def __init__(
        self,
        argv: Sequence[str],
        exit_code_: int | None,
        stderr: str,
        *,
        where: str,
        hint: str | None = None,
    ) -> None:
        ended = "ran out of time" if exit_code_ is None else f"ended with code {exit_code_}"
        super().__init__(
            f"`{' '.join(argv[:6])}{' …' if len(argv) > 6 else ''}` on {where} {ended}",
            hint=hint,
            details=stderr.strip().splitlines()[-20:],
        )
        self.argv = tuple(argv)
        self.command_exit_code = exit_code_


class DeployError(SlipwayError):
    """The deploy stopped; what was running before is running now."""

    exit_code = 5


class DeployBroken(DeployError):
    """The deploy stopped and the release before it could not be put back."""

    exit_code = 6


class Interrupted(DeployError):
    """Somebody pressed Ctrl-C; what was running before is running now."""

    exit_code = 130


class KnownHoles(SlipwayError):
    """An audit found what is known to be unsafe, or an exception past its end."""

    exit_code = 7
