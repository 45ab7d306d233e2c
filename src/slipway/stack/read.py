"""Read a stack from its Compose files.

What slipway can't carry to a host (a build, a file beside the Compose file that isn't declared as
a config) is refused here, with its path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from slipway.errors import ConfigError, Problem
from slipway.reading import Reader
from slipway.stack.health import health_check, replicas, seconds
from slipway.stack.interpolate import interpolate
from slipway.stack.merge import merge
from slipway.stack.model import DataFolder, Migration, SecretSpec, Smoke, Stack
from slipway.stack.yamlfile import parse_yaml

OWN = "x-slipway"
_REFUSED = {
    "build": "images come from slipway.toml: name the role in x-slipway and leave this out",
    "extends": "is not read: write the service out, or share parts by YAML anchors",
    "env_file": "would not be on the host: use environment, or a secret",
    "container_name": "two containers of a service must be able to exist: leave it out",
}
DERIVATIONS = ("redis-acl",)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_stack(files: Sequence[tuple[str, str]], variables: Mapping[str, str]) -> Stack:
    """Read Compose files.

    Args:
        files: name and text of each, later ones over earlier.
        variables: values for ``${…}``.

    Raises:
        ConfigError: a file is no YAML, a variable is missing, or the stack holds something that
            slipway can't carry out; every problem of all files is named.
    """
    problems: list[Problem] = []
    documents: list[dict[str, Any]] = []
    for name, text in files:
        found: list[Problem] = []
        document = interpolate(parse_yaml(text, name), variables, found)
        if isinstance(document, dict):
            documents.append(document)
        else:
            found.append(Problem("", "should be a map with services"))
        problems += [Problem(f"{name}: {p.where}", p.what) for p in found]
    if problems:
        raise ConfigError.from_problems(
            "the stack", problems, hint="set the variables in deploy/.env or deploy/hosts.toml"
        )
    return _stack(merge(documents), ", ".join(name for name, _ in files))


def _stack(document: dict[str, Any], where: str) -> Stack:
    problems = _shape_problems(document)
    if problems:
        raise ConfigError.from_problems(where, problems)
    reader = Reader(document.get(OWN) or {}, OWN, problems)
    roles, rolled = _roles(document["services"], problems)
    migrate, verify = reader.table("migrate"), reader.table("verify")
    smoke = reader.table("smoke")
    stack = Stack(
        application=reader.text("application"),
        url=reader.text("url"),
        document=_plain_compose(document),
        roles=roles,
        rolled=rolled,
        secrets=_secrets(reader.table("secrets")),
        data=_data(reader.table("data")),
        migration=Migration(
            migrate.text("service", ""),
            migrate.texts("command", []),
            migrate.texts("plan", []),
            migrate.text("source", ""),
        ),
        verify_path=verify.text("path", "/"),
        smoke=Smoke(smoke.texts("command", []), smoke.text_map("secrets")),
    )
    for table in (reader, migrate, verify, smoke):
        table.finish()
    problems += _reference_problems(stack)
    if problems:
        raise ConfigError.from_problems(where, problems)
    return stack


def _shape_problems(document: dict[str, Any]) -> list[Problem]:
    services = document.get("services")
    if not isinstance(services, dict) or not services:
        return [Problem("services", "should be a map of at least one service")]
    problems = [Problem("include", "is not read: list the file in deploy/hosts.toml")]
    problems = problems if "include" in document else []
    for name, body in services.items():
        if not isinstance(body, dict):
            problems.append(Problem(f"services.{name}", "should be a map"))
            continue
        for key, why in _REFUSED.items():
            if key in body:
                problems.append(Problem(f"services.{name}.{key}", why))
        problems += _mount_problems(f"services.{name}.volumes", body.get("volumes") or [])
    for kind in ("configs", "secrets"):
        for name, body in (document.get(kind) or {}).items():
            if not isinstance(body, dict):
                problems.append(Problem(f"{kind}.{name}", "should be a map"))
    return problems


def _mount_problems(where: str, volumes: list[Any]) -> list[Problem]:
    problems = []
    for index, item in enumerate(volumes):
        source = item.get("source", "") if isinstance(item, dict) else str(item).split(":")[0]
        if str(source).startswith((".", "~")):
            problems.append(
                Problem(f"{where}[{index}]", f"{source} is not on the host: declare it in configs")
            )
    return problems


def _roles(
    services: dict[str, dict[str, Any]], problems: list[Problem]
) -> tuple[dict[str, str], frozenset[str]]:
    roles, rolled = {}, set()
    for name, body in services.items():
        reader = Reader(body.get(OWN) or {}, f"services.{name}.{OWN}", problems)
        role = reader.text("role", name if OWN in body else "")
        if role:
            roles[name] = role
        if reader.flag("roll", False):
            rolled.add(name)
        reader.finish()
    return roles, frozenset(rolled)


def _secrets(reader: Reader) -> tuple[SecretSpec, ...]:
    specs = []
    for name in reader.names():
        table = reader.table(name)
        specs.append(
            SecretSpec(
                name=name,
                generate=table.whole("generate", 0),
                derive=table.text("derive", ""),
                source=table.text("from", ""),
                owner=table.whole("owner", 568),
            )
        )
        table.finish()
    return tuple(specs)


def _data(reader: Reader) -> tuple[DataFolder, ...]:
    folders = []
    for name in reader.names():
        table = reader.table(name)
        mode = table.text("mode", "0755")
        owner = table.whole("owner", 568)
        if not mode or mode.strip("01234567"):
            table.note("mode", f'should be octal digits in quotes such as "0700", got {mode!r}')
            mode = "0"
        folders.append(DataFolder(name, int(mode, 8), owner))
        table.finish()
    return tuple(folders)


def _reference_problems(stack: Stack) -> list[Problem]:
    problems = []
    names = {spec.name for spec in stack.secrets}
    for name, body in (stack.document.get("secrets") or {}).items():
        if name not in names and not body.get("external"):
            problems.append(Problem(f"secrets.{name}", f"is not declared in {OWN}.secrets"))
    for spec in stack.secrets:
        where = f"{OWN}.secrets.{spec.name}"
        if spec.derive and spec.derive not in DERIVATIONS:
            problems.append(Problem(where, f"can't derive {spec.derive!r}: {DERIVATIONS}"))
        if spec.derive and spec.source not in names:
            problems.append(Problem(where, f"is derived from {spec.source!r}, which is not there"))
        if spec.derive and spec.generate:
            problems.append(Problem(where, "is either generated or derived, not both"))
    for variable, name in stack.smoke.secrets.items():
        where = f"{OWN}.smoke.secrets.{variable}"
        if not _VARIABLE.fullmatch(variable):
            problems.append(Problem(where, "is no name of an environment variable"))
        if name not in names:
            problems.append(Problem(where, f"there is no secret {name}"))
    service = stack.migration.service
    if service and service not in stack.services:
        problems.append(Problem(f"{OWN}.migrate.service", f"there is no service {service}"))
    for name, body in stack.services.items():
        problems += _number_problems(f"services.{name}", body)
        if name not in stack.roles and not str(body.get("image", "")):
            problems.append(Problem(f"services.{name}", f"has neither {OWN}.role nor an image"))
    return problems


def _number_problems(where: str, body: dict[str, Any]) -> list[Problem]:
    """What later, pure code reckons with must be numbers from here on."""
    try:
        health_check(body)
        seconds(body.get("stop_grace_period"), 0)
        replicas(body)
    except (ValueError, TypeError) as error:
        return [Problem(where, str(error))]
    return []


def _plain_compose(document: dict[str, Any]) -> dict[str, Any]:
    """The document without ``x-`` keys of the top level and of services."""
    plain = {key: value for key, value in document.items() if not key.startswith("x-")}
    plain.pop("version", None)
    plain["services"] = {
        name: {key: value for key, value in body.items() if not key.startswith("x-")}
        for name, body in document["services"].items()
    }
    return plain
