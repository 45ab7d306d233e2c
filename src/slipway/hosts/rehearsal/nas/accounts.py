"""``user.*``, ``group.query`` and ``service.*``, as far as a host is prepared.

Source: ``plugins/account.py`` (``validate_sudo_commands``), ``plugins/service.py`` and
``etc_files/local/sudoers.mako`` of the middleware.
"""

from __future__ import annotations

import errno
import glob
import grp
import json
import os
import pwd
import shlex
from pathlib import Path
from typing import Any

from . import filters
from .checks import FILTERS, LEFT_OUT, OPTIONS, Field
from .errors import CallError, InstanceNotFound, ValidationErrors
from .middleware import Call, Method
from .people import ADMIN
from .releases import Release
from .settings import Settings

Table = dict[str, Any]
_RULES = ("sudo_commands", "sudo_commands_nopasswd")
_SERVICES = ("cifs", "nfs", "ssh")


def methods(release: Release) -> list[Method]:
    """The methods of this part."""
    rules = tuple(Field(name, "list", LEFT_OUT) for name in _RULES)
    user = Field("user_update", "table", fields=rules, model="UserUpdate")
    name = "service_update" if release.strict else "service-update"
    enable = Field("enable", "bool") if release.strict else Field("enable", "bool", False)
    service = Field(name, "table", fields=(enable,), model="ServiceUpdate")
    return [
        Method("user.query", _users, (FILTERS, OPTIONS), "ACCOUNT_READ"),
        Method("user.update", _update, (Field("id", "int"), user), "ACCOUNT_WRITE"),
        Method("group.query", _groups, (FILTERS, OPTIONS), "ACCOUNT_READ"),
        Method("service.query", _services, (FILTERS, OPTIONS), "SERVICE_READ"),
        Method("service.update", _enable, (Field("id_or_name"), service), "SERVICE_WRITE"),
    ]


def _kept(path: Path) -> Table:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return {}


def _rules_file(settings: Settings) -> Path:
    return settings.data / "sudo.json"


def _users(call: Call, wanted: list[Any], options: Table) -> Any:
    return filters.query(_rows(call), wanted, options)


def _rows(call: Call) -> list[Table]:
    kept = _kept(_rules_file(call.middleware.settings))
    return [
        {
            "id": number,
            "uid": entry.pw_uid,
            "username": entry.pw_name,
            "full_name": entry.pw_gecos,
            "home": entry.pw_dir,
            "shell": entry.pw_shell,
            "builtin": entry.pw_name != ADMIN,
            "locked": False,
            "local": True,
            "group": {"bsdgrp_gid": entry.pw_gid},
            # The first administrator may everything, with a password.
            "sudo_commands": ["ALL"] if entry.pw_name == ADMIN else [],
            "sudo_commands_nopasswd": [],
            **kept.get(entry.pw_name, {}),
        }
        for number, entry in enumerate(pwd.getpwall(), 1)
    ]


def _update(call: Call, number: int, data: Table) -> Any:
    settings = call.middleware.settings
    row = next((one for one in _rows(call) if one["id"] == number), None)
    if row is None:
        raise InstanceNotFound(f"User {number} does not exist")
    errors = ValidationErrors()
    for key in _RULES:
        for place, text in _wrong(data.get(key, [])):
            errors.add(f"user_update.{key}.{place}", text)
    errors.check()
    rules = {key: data.get(key, row[key]) for key in _RULES}
    settings.data.mkdir(parents=True, exist_ok=True)
    kept = _kept(_rules_file(settings)) | {row["username"]: rules}
    _rules_file(settings).write_text(json.dumps(kept), "utf-8")
    write_sudoers(settings)
    if not call.middleware.release.strict:
        return number
    return row | rules | {"password": None}


def _wrong(commands: list[str]) -> list[tuple[int, str]]:
    """Which of sudo's commands can't be, and why."""
    if "ALL" in commands and len(commands) != 1:
        return [(commands.index("ALL"), "ALL cannot be used with other commands")]
    found = []
    for number, command in enumerate(commands):
        program = shlex.split(command)[0]
        paths = [Path(one) for one in glob.glob(program)]  # noqa: PTH207 - of the whole system
        if program == "ALL":
            continue
        if not program.startswith("/"):
            found.append((number, "Executable must be an absolute path"))
        elif not paths:
            found.append((number, f"No paths matching {program!r} exist"))
        elif not any(one.is_file() and os.access(one, os.X_OK) for one in paths):
            text = f"None of the paths matching {program!r} is executable"
            found.append((number, text))
    return found


def write_sudoers(settings: Settings) -> None:
    """Have sudo know the rules that were set; without any it is left as it is."""
    kept = _kept(_rules_file(settings))
    if not kept:
        return
    lines = settings.sudoers.read_text("utf-8").splitlines()
    others = [line for line in lines if line.partition(" ")[0] not in kept]
    told = [f"{name} ALL=(ALL) {entry}" for name, rules in kept.items() if (entry := _entry(rules))]
    beside = settings.sudoers.with_name("sudoers.new")
    beside.write_text("\n".join([*others[:1], *told, *others[1:]]) + "\n", "utf-8")
    beside.chmod(0o440)
    beside.replace(settings.sudoers)


def _entry(rules: Table) -> str:
    parts = [_commands(rules["sudo_commands"])]
    if rules["sudo_commands_nopasswd"]:
        parts.append(f"NOPASSWD: {_commands(rules['sudo_commands_nopasswd'])}")
    return ", ".join(part for part in parts if part)


def _commands(commands: list[str]) -> str:
    escapes = str.maketrans({one: f"\\{one}" for one in "\\,:="})
    return ", ".join(one.strip().translate(escapes) for one in commands)


def _groups(call: Call, wanted: list[Any], options: dict[str, Any]) -> Any:
    rows = [
        {
            "id": number,
            "gid": entry.gr_gid,
            "group": entry.gr_name,
            "name": entry.gr_name,
            "builtin": True,
            "local": True,
        }
        for number, entry in enumerate(grp.getgrall(), 1)
    ]
    return filters.query(rows, wanted, options)


def _services(call: Call, wanted: list[Any], options: Table) -> Any:
    kept = _kept(call.middleware.settings.data / "services.json")
    rows = [
        {
            "id": number,
            "service": name,
            "enable": kept.get(name, False),
            # Somebody is logged in by it.
            "state": "RUNNING" if name == "ssh" else "STOPPED",
            "pids": [],
        }
        for number, name in enumerate(_SERVICES, 1)
    ]
    return filters.query(rows, wanted, options)


def _enable(call: Call, name: str, data: Table) -> int:
    if name not in _SERVICES:
        raise CallError(f"Service {name} not found.", errno.ENOENT)
    settings = call.middleware.settings
    path = settings.data / "services.json"
    settings.data.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_kept(path) | {name: data["enable"]}), "utf-8")
    return _SERVICES.index(name) + 1
