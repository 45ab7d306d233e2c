"""The secrets that the operator supplies."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import TextIO

from slipway.app import sops
from slipway.app.certificates import flaws
from slipway.app.commands import FILE, Commands
from slipway.app.strays import FOLDER
from slipway.app.strength import weaknesses
from slipway.errors import CommandFailed, ConfigError, Problem
from slipway.plan.secrets import PREFIX, variable
from slipway.secret import Secret
from slipway.stack.model import SecretSpec

_ANEW = "supply {} anew; or none at all, where the stack can do without: {}= ./inv deploy"


def withdraw(environment: MutableMapping[str, str]) -> dict[str, str]:
    """Take the variables that supply secrets out of the process's environment.

    No program that is started afterwards has them.

    Returns:
        Every variable, as it was.
    """
    before = dict(environment)
    for name in before:
        if name.startswith(PREFIX):
            del environment[name]
    return before


def public(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that supply no secret. Pure."""
    return {name: value for name, value in environment.items() if not name.startswith(PREFIX)}


def ask_value(spec: SecretSpec, source: TextIO) -> Secret:
    """A value from standard input; typed unseen, and twice, where that is a terminal.

    One newline at its end is not part of it.

    Raises:
        ConfigError: there is none, the two differ, or it is easy to guess; nothing was changed.
    """
    name = spec.name
    if source.isatty():
        text = getpass(f"{name}: ")
        if text != getpass(f"{name}, once more: "):
            raise ConfigError("the two values differ; nothing was changed", stage="config")
    else:
        text = source.read().removesuffix("\n")
    if not text and not spec.optional:
        raise ConfigError(
            f"no value for {name} came on standard input; nothing was changed",
            hint=f"pass show langflix/{name} | ./inv secrets.set {name}",
            stage="config",
        )
    if problems := _weak(spec, text):
        raise ConfigError.from_problems(
            "standard input", problems, hint=f"./inv secrets.rotate {name}"
        )
    return Secret(text)


def read_supplied(
    specs: Sequence[SecretSpec],
    folder: Path,
    environment: Mapping[str, str],
    commands: Commands,
    strays: Sequence[Problem] = (),
) -> dict[str, Secret]:
    """The operator's values: the environment's, else those of files, else those of commands.

    One newline at a file's end is the editor's, not the secret's.

    Args:
        specs: the secrets of the stack.
        folder: where the files are.
        environment: the process's variables.
        commands: of ``deploy/secrets.toml``; one runs where nothing else supplies its secret.
        strays: what is supplied under names that no secret has, told of with the rest.

    Raises:
        ConfigError: there are strays; a value can't be had, is empty where it is not optional, or
            easy to guess where slipway would have made a better one; all are named.
    """
    found: dict[str, Secret] = {}
    problems: list[Problem] = []
    hints: dict[str, None] = {}
    for spec in specs:
        try:
            text = _value(spec.name, folder / spec.name, environment, commands)
        except _Unread as error:
            problems.append(Problem(spec.name, f"can't be read: {error}"))
            hints[error.hint] = None
            continue
        if text == "" and not spec.optional:
            problems.append(Problem(spec.name, "is empty"))
        elif text is not None:
            found[spec.name] = Secret(text)
            problems += _weak(spec, text)
    if problems or strays:
        told = [f"{_place(one.where, folder, environment, commands)}: {one}" for one in problems]
        told += [str(one) for one in strays]
        raise ConfigError(
            f"{len(told)} problem{'s' * (len(told) > 1)} of supplied secrets; nothing was changed",
            hint="; ".join(
                filter(None, (_hint(specs, found, problems), *hints, _renamed(specs, strays)))
            )
            or None,
            stage="config",
            details=[line for one in told for line in one.splitlines()],
        )
    return found


def _place(name: str, folder: Path, environment: Mapping[str, str], commands: Commands) -> str:
    """Where a secret's value comes from, as people know it."""
    if variable(name) in environment:
        return variable(name)
    return FILE if name in commands.argv and not (folder / name).exists() else FOLDER


def _weak(spec: SecretSpec, text: str) -> list[Problem]:
    """Why a value is easy to guess, where slipway would have made a better one, or is of no use."""
    reasons: Sequence[str] = ()
    if spec.generate and text:
        reasons = weaknesses(text, spec.generate)
    elif spec.certificate and text:
        reasons = flaws(text, datetime.now(UTC))
    return [Problem(spec.name, reason) for reason in reasons]


def _hint(
    specs: Sequence[SecretSpec], found: Mapping[str, Secret], problems: Sequence[Problem]
) -> str | None:
    """What to do about values that could be read, and were refused."""
    certificates = {one.name for one in specs if one.certificate}
    refused = sorted({problem.where for problem in problems} & set(found))
    weak = [name for name in refused if name not in certificates]
    if not weak:
        return _ANEW.format(", ".join(refused), variable(refused[0])) if refused else None
    return (
        f"supply {', '.join(weak)} anew, such as from: openssl rand -hex 16; or supply none, and "
        "the host's own is kept, or one is made"
    )


def _renamed(specs: Sequence[SecretSpec], strays: Sequence[Problem]) -> str:
    """What to do about values that nobody would read."""
    names = ", ".join(sorted(spec.name for spec in specs if not spec.derive))
    return f"rename or remove what no secret is called; there are: {names}" if strays else ""


class _Unread(Exception):
    """Why a value can't be had; never holds one.

    Args:
        why: the reason; its further lines are those of a program.
        hint: what to do about it, if that is known.
    """

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.hint = hint


def _failed(error: CommandFailed) -> _Unread:
    """Why a program printed no value, with all that it said: its last line may say little."""
    program, cause = error.argv[0], error.__cause__
    if isinstance(cause, FileNotFoundError) and "/" not in program:
        return _Unread(
            f"{program} is not installed",
            sops.INSTALL if sops.is_sops(program) else f"install {program}",
        )
    if isinstance(cause, OSError):
        return _Unread(f"{program} can't be run: {cause.strerror}")
    said = [line for line in error.details if line.strip()]
    lines = [f"; {said[0]}"] if len(said) == 1 else [f"\n  {line}" for line in said]
    return _Unread(
        "".join((error.message, *lines)), sops.hint_for(error.argv, error.command_exit_code)
    )


def _value(name: str, path: Path, environment: Mapping[str, str], commands: Commands) -> str | None:
    """A secret's value as it was supplied; None where it was not."""
    text = environment.get(variable(name))
    if text is not None:
        if _undecoded(text):
            raise _Unread("is no UTF-8")
        return text
    try:
        if path.is_file():
            return path.read_text("utf-8").removesuffix("\n")
        if path.exists():
            raise _Unread("is no file")
        return commands.value(name) if name in commands.argv else None
    except CommandFailed as error:
        raise _failed(error) from None
    except UnicodeDecodeError:
        raise _Unread("is no UTF-8") from None
    except OSError as error:
        raise _Unread(type(error).__name__) from error


def _undecoded(text: str) -> bool:
    """Whether a variable's value holds bytes that are no UTF-8, which Python has as surrogates."""
    return any("\ud800" <= one <= "\udfff" for one in text)
