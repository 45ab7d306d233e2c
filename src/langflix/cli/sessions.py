"""``sessions``: which browsers are signed in, and ending that; asked of a running API."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from uuid import UUID

from langflix.cli import output
from langflix.cli.client import Client
from langflix.errors import InputError

ROOT = "/api/v1/sessions"


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do what was asked and print the answer."""
    client = Client.of(arguments, environ)
    if arguments.action == "list":
        _list(client, arguments)
    else:
        _end(client, arguments)
    return 0


def _list(client: Client, arguments: argparse.Namespace) -> None:
    found = client.get(ROOT)
    if arguments.json:
        output.data_json(found)
        return
    for one in found["sessions"]:
        used = f"{one['last_used_at']:.16}"
        output.data(f"{one['id']}  {used}  {one['address']}\t{one['agent']}")
    output.note(f"{len(found['sessions'])} sessions")


def _end(client: Client, arguments: argparse.Namespace) -> None:
    if bool(arguments.id) == arguments.all:
        raise InputError("name the session to end, or --all of them")
    client.delete(ROOT if arguments.all else f"{ROOT}/{_id(arguments.id)}")
    ended = "all" if arguments.all else arguments.id
    if arguments.json:
        output.data_json({"ended": ended})
    else:
        output.note("every session is ended" if arguments.all else f"session {ended} is ended")


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise InputError(f"{text!r} is no session's id") from None
