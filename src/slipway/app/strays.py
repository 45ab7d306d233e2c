"""What is supplied under a name that no secret has: misspelt, or left of a stack of before.

A stack would go live without it, and nobody would know. Files of ``deploy/secrets`` and commands
of ``deploy/secrets.toml`` belong to the checkout, so such a name stops a deploy. A variable may be
meant for another checkout, so it is a warning. The hosts of a checkout may use different Compose
files: a secret of any of them is known. A host's ``variables`` are held against its own files.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.app.commands import FILE, Commands
from slipway.errors import Problem
from slipway.hosts.table import FILES
from slipway.plan.secrets import PREFIX, variable
from slipway.stack.compose import Model
from slipway.stack.model import SecretSpec
from slipway.stack.yamlfile import lint
from slipway.supply.sources import is_leftover

FOLDER = "deploy/secrets"
_DECLARED = re.compile(r"(?:x-slipway\.)?secrets\.([\w-]+)")


@dataclass(frozen=True, slots=True)
class Strays:
    """What supplies no secret.

    Attributes:
        problems: files and commands, by where they are.
        warnings: a sentence for each variable.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def find_strays(
    specs: Sequence[SecretSpec],
    deploy: Path,
    environment: Mapping[str, str],
    commands: Commands,
) -> Strays:
    """Everything that is supplied under a name that no secret has; nothing of it is read.

    Args:
        specs: the secrets of the host's stack.
        deploy: the checkout's folder with Compose files and ``secrets``.
        environment: the process's variables.
        commands: of ``deploy/secrets.toml``.
    """
    names = {spec.name for spec in specs}
    files, broken = _files(deploy / "secrets")
    given = sorted(name for name in environment if name.startswith(PREFIX))
    lost = [one for one in (*files, *commands.argv) if one not in names]
    if lost or not set(given) <= {variable(one) for one in names}:
        names |= _declared(deploy)  # only where it matters: most deploys have no time to lose
    able = sorted(names - {spec.name for spec in specs if spec.derive})
    known = {variable(one) for one in names}
    return Strays(
        (
            *broken,
            *(Problem(f"{FOLDER}/{one}", _unknown(one, able)) for one in files if one not in names),
            *(
                Problem(f"{FILE}: command.{one}", _unknown(one, able))
                for one in sorted(commands.argv)
                if one not in names
            ),
        ),
        tuple(
            f"{one}: {_unknown(one.removeprefix(PREFIX), able, variable)}"
            for one in given
            if one not in known
        ),
    )


def unmentioned(host: str, variables: Iterable[str], model: Model) -> tuple[str, ...]:
    """A warning for each of a host's ``variables`` that no Compose file of it has a use for. Pure.

    Args:
        host: its name in ``deploy/hosts.toml``.
        variables: their names.
        model: what the files mean.
    """
    known = {one.name for one in model.variables}
    for body in (model.document.get("services") or {}).values():
        known |= (body.get("environment") or {}).keys()  # a bare `NAME` there takes its value, too
    return tuple(
        f"{FILES}: host.{host}.variables.{one}: no Compose file of this host mentions it"
        f"{_meant(one, sorted(known))}"
        for one in variables
        if one not in known
    )


def _files(folder: Path) -> tuple[list[str], list[Problem]]:
    """What is in the folder of supplied secrets, but for what programs and editors leave there."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [Problem(FOLDER, f"can't be read: {error.strerror}")]
    return [one for one in names if not one.startswith(".") and not is_leftover(one)], []


def _declared(deploy: Path) -> set[str]:
    """The secrets of every Compose file that some host may use."""
    found: set[str] = set()
    for path in deploy.glob("*.y*ml"):
        try:
            lines = lint(path.read_text("utf-8")).lines
        except (OSError, UnicodeDecodeError):  # told of where a host uses it
            continue
        found |= {match[1] for one in lines if (match := _DECLARED.fullmatch(one))}
    return found


def _unknown(name: str, able: Sequence[str], shown: Callable[[str], str] = str) -> str:
    """That nothing is called so, and what may have been meant."""
    return f"no secret is called that{_meant(name.lower(), able, shown)}"


def _meant(name: str, able: Sequence[str], shown: Callable[[str], str] = str) -> str:
    """A question after the name that is most like another; empty where none is."""
    near = difflib.get_close_matches(name, able, 1)
    return f"; did you mean {shown(near[0])}?" if near else ""
