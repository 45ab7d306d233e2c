"""Whether what ``x-slipway`` names is there. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from slipway.errors import Problem
from slipway.stack.model import Stack

OWN = "x-slipway"
DERIVATIONS = ("before", "login", "redis-acl")
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def reference_problems(stack: Stack) -> list[Problem]:
    """Every name in ``x-slipway`` that leads nowhere, and every service without an image. Pure."""
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
        if spec.derive == "login" and not _NAME.fullmatch(spec.login):
            problems.append(Problem(where, "is derived as a login: login is its name, a-z, 0-9, _"))
        if spec.login and spec.derive != "login":
            problems.append(Problem(where, "has a login, and is not derived as one"))
        if spec.optional and (spec.derive or spec.generate):
            problems.append(Problem(where, "is always there when it is made: it is not optional"))
        if spec.certificate and (spec.derive or spec.generate):
            problems.append(Problem(where, "is a certificate: it is neither generated nor derived"))
        if spec.derive and spec.generate:
            problems.append(Problem(where, "is either generated or derived, not both"))
    for variable, name in stack.smoke.secrets.items():
        where = f"{OWN}.smoke.secrets.{variable}"
        if not _VARIABLE.fullmatch(variable):
            problems.append(Problem(where, "is no name of an environment variable"))
        if name not in names:
            problems.append(Problem(where, f"there is no secret {name}"))
    problems += _service_problems(stack)
    for name, body in stack.services.items():
        if name not in stack.roles and not body.get("image"):
            problems.append(Problem(f"services.{name}", f"has neither {OWN}.role nor an image"))
        if not body.get("profiles"):
            problems += _missing_dependencies(stack, name, body)
    return problems


def _service_problems(stack: Stack) -> list[Problem]:
    """Services that ``x-slipway`` names: they must be there, and stand where something is run."""
    edge, migration = stack.edge.service, stack.migration
    named = (
        ("edge.service", edge, True),
        ("migrate.service", migration.service, False),
        ("migrate.dump.service", migration.dump.service, True),
        ("migrate.restore.service", migration.restore.service, True),
    )
    problems = []
    for where, service, stands in named:
        if service and service not in stack.services:
            problems.append(Problem(f"{OWN}.{where}", f"there is no service {service}"))
        elif service and stands and service not in stack.standing:
            problems.append(Problem(f"{OWN}.{where}", f"{service} has a profile: it doesn't stand"))
    for service, rolling in stack.rolled.items():
        where = f"services.{service}.{OWN}.roll"
        if service == edge and rolling == "edge":
            why = "is the edge, which rolls only beside: nothing switches from it to another"
            problems.append(Problem(where, why))
        elif rolling == "edge" and not edge:
            problems.append(Problem(where, f"needs an edge that switches: {OWN}.edge names none"))
    return problems


def _missing_dependencies(stack: Stack, name: str, body: Mapping[str, Any]) -> list[Problem]:
    """A standing service can't wait for one that only a profile starts: Compose refuses it."""
    needed = body.get("depends_on") or {}
    return [
        Problem(f"services.{name}.depends_on.{other}", "has a profile, so it doesn't stand")
        for other, how in needed.items()
        if how.get("required", True) and other not in stack.standing
    ]
