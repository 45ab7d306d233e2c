"""``tokens``: tokens with names, made, listed and revoked; asked of a running API."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from langflix.cli import output
from langflix.cli.client import Client
from langflix.domain.tokens import name_problems, problems
from langflix.errors import SettingsError

ROOT = "/api/v1/tokens"


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do what was asked and print the answer; raises SettingsError for a wish that can't be."""
    client = Client.of(arguments, environ)
    match arguments.action:
        case "add":
            _add(client, arguments)
        case "list":
            _list(client, arguments)
        case _:
            _revoke(client, arguments)
    return 0


def _add(client: Client, arguments: argparse.Namespace) -> None:
    _refuse(problems(arguments.name, arguments.scope, arguments.days))
    wish = {"name": arguments.name, "scope": arguments.scope, "days": arguments.days}
    made = client.post(ROOT, wish)
    if arguments.json:
        output.data_json(made)
        return
    output.data(made["token"])
    output.note(f"this is shown once: the token {made['name']} lets {made['scope']}{_until(made)}")


def _list(client: Client, arguments: argparse.Namespace) -> None:
    found = client.get(ROOT)
    if arguments.json:
        output.data_json(found)
        return
    for one in found["tokens"]:
        used = f"used {one['last_used_at']:.16}" if one["last_used_at"] else "never used"
        output.data(f"{one['name']}\t{one['scope']}\t{used}{_until(one)}")
    output.note(f"{len(found['tokens'])} tokens")


def _revoke(client: Client, arguments: argparse.Namespace) -> None:
    _refuse(name_problems(arguments.name))
    client.delete(f"{ROOT}/{quote(arguments.name, safe='')}")
    if arguments.json:
        output.data_json({"revoked": arguments.name})
    else:
        output.note(f"the token {arguments.name} is revoked, and who signed in with it signed out")


def _refuse(wrong: Sequence[str]) -> None:
    if wrong:
        raise SettingsError(wrong)


def _until(one: Mapping[str, str]) -> str:
    return f", until {one['expires_at']:.10}" if one["expires_at"] else ""
