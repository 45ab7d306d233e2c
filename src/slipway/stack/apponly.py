"""The stack as TrueNAS alone can run it: no command in a container, one ``up`` for all. Pure.

Without Docker nobody runs the migration beside the services, so it becomes one of them: a service
that ends, and that those which use the database wait for. No service can be told that a secret
changed: a new container reads the file that the secret then is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slipway.errors import ConfigError, Problem
from slipway.stack.model import Migration, Stack
from slipway.stack.project import ONLY

#: The service that migrates.
MIGRATION = "migration"
_DONE = "service_completed_successfully"
# What a service that ends must not have, or would do twice.
_LEFT_OUT = ("profiles", "container_name", "ports", "healthcheck", "restart", "command")


def app_only(stack: Stack) -> Stack:
    """The stack in mode ``app-only``.

    Args:
        stack: as the Compose files say.

    Raises:
        ConfigError: it has a service by the name that the migration is given, or none that could
            wait for it.
    """
    migrated = _with_migration(stack)
    return replace(migrated, mode=ONLY, reloads=())


def _with_migration(stack: Stack) -> Stack:
    said = stack.migration
    if not said.service:
        return stack
    if MIGRATION in stack.services:
        why = f"is what slipway calls the service that migrates with mode = {ONLY!r}"
        raise ConfigError.from_problems(
            "the stack",
            [Problem(f"services.{MIGRATION}", why)],
            hint="give that service another name",
        )
    users = stack.database_users
    if not users:
        why = "needs no service that others need, so nobody knows which ones are to wait for it"
        raise ConfigError.from_problems(
            "the stack",
            [Problem(f"services.{said.service}.depends_on", why)],
            hint="name the database there, and in `depends_on` of the services that use it",
        )
    services = {name: _waiting(body) if name in users else body
                for name, body in stack.services.items()}  # fmt: skip
    services[MIGRATION] = _ending(stack.services[said.service], said.command)
    roles = dict(stack.roles)
    if said.service in roles:
        roles[MIGRATION] = roles[said.service]
    return replace(
        stack,
        document={**stack.document, "services": services},
        roles=roles,
        migration=Migration(MIGRATION, said.command, source=said.source),
    )


def _ending(body: Mapping[str, Any], command: tuple[str, ...]) -> dict[str, Any]:
    """The service that migrates: the same as a command of it would be run in, once."""
    kept = {key: value for key, value in body.items() if key not in _LEFT_OUT}
    deploy = {k: v for k, v in (kept.pop("deploy", None) or {}).items() if k == "resources"}
    ends = {"command": list(command), "restart": "no"}
    return {**kept, **({"deploy": deploy} if deploy else {}), **ends}


def _waiting(body: Mapping[str, Any]) -> dict[str, Any]:
    """A service that starts once the migration is through."""
    needed = {**(body.get("depends_on") or {}), MIGRATION: {"condition": _DONE, "required": True}}
    return {**body, "depends_on": needed}
