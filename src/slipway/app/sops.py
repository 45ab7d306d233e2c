"""SOPS, a program that keeps secrets encrypted in a file: where it comes from, and its endings.

It is run as it is: what opens a file, and who may open a new one, are settings of its own
(``.sops.yaml``, ``SOPS_AGE_KEY_FILE``). Its exit codes are those of SOPS 3.13's
``cmd/sops/codes``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from slipway.doors import Shell
from slipway.errors import CommandFailed, ConfigError

NAME = "sops"
INSTALL = (
    "its makers have packages: https://github.com/getsops/sops/releases; or, by Go: go install "
    "github.com/getsops/sops/v3/cmd/sops@latest"
)
_OPENS = (
    "who may open the file has a key: SOPS_AGE_KEY_FILE names the file of age's; without it that "
    "is ~/.config/sops/age/keys.txt"
)
_RULES = (
    "write for whom it is encrypted into .sops.yaml, two lines: `creation_rules:` and `  - age: "
    "age1…`, with what age-keygen says; docs/guides/secrets.md has the whole way"
)
_NO_KEY, _UNCHANGED, _NO_EDITOR = 128, 200, 201
_LIMIT_S = 180.0


def is_sops(program: str) -> bool:
    """Whether the first word of a command is SOPS."""
    return Path(program).name == NAME


def hint_for(argv: Sequence[str], code: int | None) -> str:
    """What to do when a command that prints a secret ended with a code; empty for no idea."""
    return _OPENS if is_sops(argv[0]) and code == _NO_KEY else ""


def see_that_it_can_be_made(shell: Shell, root: Path, file: str) -> None:
    """Have SOPS itself say, before an editor opens, that it could encrypt a file that is not there.

    Args:
        root: the checkout.
        file: relative to it.

    Raises:
        ConfigError: SOPS is not installed, or is not told for whom to encrypt.
    """
    if (root / file).exists():
        return
    # Nothing, whatever kind of file it will be: of a text SOPS would want it to be of that kind.
    types = ("--input-type", "binary", "--output-type", "binary")
    argv = (NAME, "encrypt", *types, "--filename-override", file, os.devnull)
    try:
        shell.run(argv, timeout=_LIMIT_S, cwd=str(root))
    except CommandFailed as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise ConfigError(
                f"{NAME} is not installed; nothing was opened", hint=INSTALL, stage="config"
            ) from error
        raise ConfigError(
            f"{file} is not there, and {NAME} can't make it; nothing was opened",
            hint=_RULES,
            stage="config",
            details=error.details,
        ) from error


def edited(file: str, code: int) -> str:
    """What came of an edit, by SOPS' exit code. Pure.

    Raises:
        ConfigError: it was not saved; what SOPS says has been seen already.
    """
    if code == 0:
        return f"{file} is saved; ./inv deploy takes what is in it"
    if code == _UNCHANGED:
        return f"nothing was changed in {file}"
    hints = {
        _NO_KEY: _OPENS,
        _NO_EDITOR: "EDITOR names your editor: EDITOR=nano ./inv secrets.edit",
    }
    raise ConfigError(
        f"{NAME} ended with code {code}, for the reason above; {file} is as it was",
        hint=hints.get(code),
        stage="config",
    )
