"""The secrets that the operator supplies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.errors import ConfigError, Problem
from slipway.plan.secrets import variable
from slipway.secret import Secret
from slipway.stack.model import SecretSpec


def read_supplied(
    specs: Sequence[SecretSpec], folder: Path, environment: Mapping[str, str]
) -> dict[str, Secret]:
    """The operator's values: the environment's, else those of files in ``folder``.

    One newline at a file's end is the editor's, not the secret's.

    Raises:
        ConfigError: a file can't be read, or a value is empty of one that is not optional.
    """
    found: dict[str, Secret] = {}
    problems: list[Problem] = []
    for spec in specs:
        path = folder / spec.name
        text = environment.get(variable(spec.name))
        if text is None and path.is_file():
            try:
                text = path.read_text("utf-8").removesuffix("\n")
            except (OSError, UnicodeDecodeError) as error:
                problems.append(Problem(spec.name, f"can't be read: {type(error).__name__}"))
        elif text is None and path.exists():
            problems.append(Problem(spec.name, "can't be read: is no file"))
        if text and _undecoded(text):
            problems.append(Problem(spec.name, "can't be read: is no UTF-8"))
        elif text == "" and not spec.optional:
            problems.append(Problem(spec.name, "is empty"))
        elif text is not None:
            found[spec.name] = Secret(text)
    if problems:
        raise ConfigError.from_problems("deploy/secrets", problems)
    return found


def _undecoded(text: str) -> bool:
    """Whether a variable's value holds bytes that are no UTF-8, which Python has as surrogates."""
    return any("\ud800" <= one <= "\udfff" for one in text)
