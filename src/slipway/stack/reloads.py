"""Services that take changed secrets while they run: their secrets lie in a folder. Pure.

A secret of Compose's is a file that is mounted: another version is another file, and so another
container. Who keeps the passwords of others (a database, a queue) would be away for that. Such a
service has all of its secrets in one folder of the host, mounted as ``/run/secrets``, whose files
change under it, and a program in it that takes them. While those who use an old password go on
running, that is there as well, as ``NAME.before``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.errors import Problem
from slipway.runner.handed import BEFORE
from slipway.stack.model import Reload
from slipway.stack.references import OWN

FOLDER = "/run/secrets"


def reloads(
    services: Mapping[str, Mapping[str, Any]],
    commands: Mapping[str, tuple[str, ...]],
    problems: list[Problem],
) -> tuple[Reload, ...]:
    """The services with a program that takes secrets, and what their folders hold.

    Args:
        services: Compose's definitions, in their long form.
        commands: service to that program and its arguments; empty for none.
        problems: is added to.
    """
    found = []
    for service, command in commands.items():
        if not command:
            continue
        body, where = services[service], f"services.{service}"
        mounts = body.get("secrets") or ()
        if body.get("profiles"):
            problems.append(Problem(f"{where}.{OWN}.reload", "has a profile: it doesn't stand"))
        elif not mounts:
            problems.append(Problem(f"{where}.{OWN}.reload", "has no secrets to take anew"))
        files: dict[str, str] = {}
        for index, mount in enumerate(mounts):
            name = (mount.get("target") or mount["source"]).removeprefix(f"{FOLDER}/")
            if "/" in name or name.endswith(BEFORE):
                why = f"with reload it should be a file in {FOLDER}, not ending with {BEFORE}"
                problems.append(Problem(f"{where}.secrets[{index}].target", f"{why}, got {name}"))
            files[name] = mount["source"]
        found.append(Reload(service, command, files))
    return tuple(found)


def mounted(body: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """A service's definition with a folder of the host in the place of its secrets."""
    mount = {
        "type": "bind",
        "source": folder,
        "target": FOLDER,
        "read_only": True,
        "bind": {"create_host_path": False},
    }
    kept = {key: value for key, value in body.items() if key != "secrets"}
    return {**kept, "volumes": [*(body.get("volumes") or ()), mount]}
