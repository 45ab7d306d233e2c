"""The secrets that the operator supplies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.app.strength import weaknesses
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
        ConfigError: a file can't be read, a value is empty, or easy to guess where slipway would
            have made a better one.
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
        elif text == "":
            problems.append(Problem(spec.name, "is empty"))
        elif text is not None:
            found[spec.name] = Secret(text)
            weak = weaknesses(text, spec.generate) if spec.generate else ()
            problems += [Problem(spec.name, reason) for reason in weak]
    if problems:
        raise ConfigError.from_problems("deploy/secrets", problems, hint=_hint(found, problems))
    return found


def _hint(found: Mapping[str, Secret], problems: Sequence[Problem]) -> str | None:
    """What to do about values that could be read, and were refused."""
    weak = sorted({problem.where for problem in problems} & set(found))
    if not weak:
        return None
    return (
        f"supply {', '.join(weak)} anew, such as from: openssl rand -hex 16; or supply none, and "
        "the host's own is kept, or one is made"
    )


def _undecoded(text: str) -> bool:
    """Whether a variable's value holds bytes that are no UTF-8, which Python has as surrogates."""
    return any("\ud800" <= one <= "\udfff" for one in text)
