"""Ask Compose's own library, through the program ``compose-model``, what Compose files mean.

The program (``nix/go/compose-model``) does what ``docker compose config`` does, in one short run
and with every problem named: ``extends``, ``include``, ``env_file``, profiles, ``!reset``,
variables, the schema. What it answers is a model in Compose's long form; only that form is known
from here on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.doors import Shell
from slipway.errors import BuildError, CommandFailed, ConfigError, Problem
from slipway.stack.yamlfile import lint

_FORMAT = 1
_SET = (
    "set the variables in deploy/.env, or in `variables` of the host's table in "
    "deploy/hosts.toml or deploy/hosts.local.toml"
)
_TIMEOUT_S = 60.0
_NO_YAML = "is no YAML"
_COUNTLESS = "unsupported value"  # of Go's encoding/json, for what is no number
_LAST = re.compile(r"(\.[^.\[]+|\[[0-9]+\])\Z")


@dataclass(frozen=True, slots=True)
class DotEnv:
    """A ``.env`` file as a source of variables.

    Attributes:
        path: where it lies.
        name: as people know it.
    """

    path: Path
    name: str


Source = Mapping[str, str] | DotEnv


@dataclass(frozen=True, slots=True)
class Request:
    """What to read.

    Attributes:
        project: Compose's project name.
        folder: where relative paths of the files start; absolute.
        files: name and text of each Compose file, later ones over earlier.
        environment: where variables come from, the strongest first.
    """

    project: str
    folder: Path
    files: tuple[tuple[str, str], ...]
    environment: tuple[Source, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The form that the program reads. Services of every profile are wanted."""
        return {
            "format": _FORMAT,
            "project": self.project,
            "folder": str(self.folder),
            "files": [{"name": name, "text": text} for name, text in self.files],
            "environment": [
                {"file": str(source.path), "name": source.name}
                if isinstance(source, DotEnv)
                else {"values": dict(source)}
                for source in self.environment
            ],
            "profiles": ["*"],
        }


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that the files mention.

    Attributes:
        name: its name.
        required: whether some mention demands a value.
        default: what stands in its place without a value.
        alternate: what stands in its place with one.
        value: its value, or None.
        where: each mention, as ``FILE:LINE PATH``.
    """

    name: str
    required: bool
    default: str
    alternate: str
    value: str | None
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """What Compose files mean.

    Attributes:
        document: the merged project in Compose's long form, without ``x-`` keys. Paths that the
            files gave relative to themselves start with ``./``, ``../`` or ``~/`` in it.
        top: the ``x-`` keys of the top level.
        services: the ``x-`` keys of each service, in the files' order.
        variables: what the files mention, by name.
        warnings: what a person should know, a sentence each.
        places: path of each value to the last file that gives it, and the line there.
    """

    document: dict[str, Any]
    top: dict[str, Any]
    services: dict[str, dict[str, Any]]
    variables: tuple[Variable, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def placed(self, problems: Sequence[Problem]) -> list[Problem]:
        """Problems with the file and line that each is in, as far as these are known.

        What is missing has those of what it is missing in.
        """
        return [self._placed(one) for one in problems]

    def _placed(self, problem: Problem) -> Problem:
        path = problem.where
        while path and path not in self.places:
            outer = _LAST.sub("", path)
            path = outer if outer != path else ""
        if not path:
            return problem
        file, line = self.places[path]
        return Problem(f"{file}: {problem.where}", f"{problem.what} (line {line})")

    def value(self, name: str) -> str | None:
        """The value of a variable that the files mention, or None."""
        return next((one.value for one in self.variables if one.name == name), None)


class ComposeModel:
    """The program.

    Args:
        shell: where it runs.
        program: its path.
    """

    def __init__(self, shell: Shell, program: Path) -> None:
        self._shell = shell
        self._program = program

    def read(self, request: Request) -> Model:
        """What the files mean.

        Raises:
            ConfigError: they have problems; every one that could be found is named.
            BuildError: the program did not answer.
        """
        broken: list[Problem] = []
        warnings: list[str] = []
        places: dict[str, tuple[str, int]] = {}
        for name, text in request.files:
            found = lint(text)
            broken += [Problem(name, what) for what in found.broken]
            broken += [Problem(f"{name}: {one.where}", one.what) for one in found.countless]
            places |= {path: (name, line) for path, line in found.lines.items()}
            warnings += [f"{name}: {problem}" for problem in found.warnings]
            if found.endless:
                raise ConfigError.from_problems("the stack", broken)
        answer = self._ask(request)
        problems = [_problem(one) for one in answer["problems"]]
        if problems:
            raise _refusal(problems, broken)
        model = answer["model"]
        document, order = model["document"], model["order"]
        services = document["services"] or {}
        document["services"] = {name: services[name] for name in order}
        return Model(
            document=document,
            top=model["top"],
            services={name: model["services"][name] for name in order},
            variables=tuple(
                Variable(**{**one, "where": tuple(one["where"])}) for one in answer["variables"]
            ),
            warnings=(*warnings, *answer["warnings"]),
            places=places,
        )

    def _ask(self, request: Request) -> dict[str, Any]:
        text = json.dumps(request.to_json()).encode()
        try:
            done = self._shell.run((str(self._program),), timeout=_TIMEOUT_S, input=text)
            answer: dict[str, Any] = json.loads(done.stdout)
        except (CommandFailed, ValueError) as error:
            details = error.details if isinstance(error, CommandFailed) else [str(error)]
            raise BuildError(
                "the program that reads Compose files gave no answer; nothing was changed",
                details=details,
                hint="rm -r .slipway/programs, then try again: it is built anew",
                stage="config",
            ) from error
        return answer


def _problem(found: Mapping[str, Any]) -> Problem:
    line = f" (line {found['line']})" if found["line"] else ""
    where = ": ".join(part for part in (found["file"], found["path"]) if part)
    return Problem(where, found["what"] + line)


def _refusal(problems: Sequence[Problem], broken: Sequence[Problem]) -> ConfigError:
    """One error of what Compose said, and of what was found in the files beforehand."""
    unset = any("is not set" in problem.what for problem in problems)
    known = {problem.where for problem in broken}
    said = [
        one
        for one in problems
        if not (one.where in known and _NO_YAML in one.what)
        and not (broken and _COUNTLESS in one.what)
    ]
    return ConfigError.from_problems(
        "the stack",
        [*said, *broken],
        hint=_SET if unset else None,
    )
