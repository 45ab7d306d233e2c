"""Secrets that other programs keep: ``deploy/secrets.toml`` says which command prints which.

::

    format = 1

    [command]
    gemini_api_key = ["pass", "show", "langflix/gemini"]
    flower_password = ["sops", "decrypt", "--extract", '["flower"]', "deploy/secrets.sops.yaml"]

A command's standard output is the value, but for one newline at its end. It is run in the checkout
at each deploy that needs it, and its output is kept in memory only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.doors import Shell
from slipway.errors import ConfigError, Problem
from slipway.reading import Reader, parse_toml, read_text
from slipway.report import Report

FILE = "deploy/secrets.toml"
# A person may have to unlock something first.
_LIMIT_S = 180.0


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of a checkout.

    Attributes:
        shell: where they run.
        report: told before the first.
        root: the checkout, in which they run.
        argv: secret name to the command that prints it.
    """

    shell: Shell
    report: Report
    root: Path
    argv: Mapping[str, Sequence[str]]

    def value(self, name: str) -> str:
        """What a secret's command prints.

        Raises:
            CommandFailed: it failed; its standard error is told, its standard output is not.
            UnicodeDecodeError: that is no UTF-8.
        """
        argv = self.argv[name]
        self.report.step("secrets", f"{name}, by {argv[0]}")
        done = self.shell.run(argv, timeout=_LIMIT_S, cwd=str(self.root))
        return done.stdout.decode("utf-8").removesuffix("\n")


def read_commands(shell: Shell, report: Report, root: Path) -> Commands:
    """The commands of ``deploy/secrets.toml``; none where there is no such file.

    Raises:
        ConfigError: with every problem of the file.
    """
    path = root / FILE
    return Commands(shell, report, root, _parse(read_text(path, FILE)) if path.exists() else {})


def encrypted_file(commands: Commands, wanted: str = "") -> str:
    """The file of SOPS' that commands read, to be edited.

    Args:
        commands: those of the checkout.
        wanted: its path; empty where there is one only.

    Raises:
        ConfigError: no command reads that one, or any; or there are several.
    """
    read = {argv[-1] for argv in commands.argv.values() if Path(argv[0]).name == "sops"}
    files = sorted(read)
    if wanted in read or (not wanted and len(files) == 1):
        return wanted or files[0]
    if not files:
        why = f"no command of {FILE} is of sops"
        hint = "docs/guides/secrets.md shows one"
    else:
        why = f"no command reads {wanted}" if wanted else "several files are read"
        hint = f"name one of them: {', '.join(files)}"
    raise ConfigError(f"{why}; nothing was opened", hint=hint, stage="config")


def _parse(text: str) -> dict[str, tuple[str, ...]]:
    reader = Reader(parse_toml(text, FILE))
    reader.format(1)
    table = reader.table("command", required=True)
    found = {name: table.texts(name) for name in table.names()}
    reader.finish()
    problems = list(reader.problems)
    wrong = {re.sub(r"\[\d+\]\Z", "", one.where) for one in problems}
    empty = [name for name, argv in found.items() if not argv]
    problems += [
        Problem(table.at(name), "is empty") for name in empty if table.at(name) not in wrong
    ]
    if problems:
        raise ConfigError.from_problems(FILE, problems, hint=f"mend {FILE}")
    return found
