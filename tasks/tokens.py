"""Tokens with names, by the application's own command line on the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.command import HOST, JSON, command

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace

_SERVICE = "cli"


@command(
    help={
        "name": "how it is called, such as the person's or the machine's who has it",
        "scope": "read, upload (read, and have lessons made) or admin (all, and let others in)",
        "days": "after how many days it lets in no more (default: never)",
        "host": HOST,
        "json": JSON,
    },
    positional=["name"],
)
def add(
    workspace: Workspace,
    name: str,
    scope: str,
    days: int = 0,
    host: str | None = None,
    json: bool = False,
) -> int:
    """Make a token with a name, and print it once."""
    until = ("--days", str(days)) if days else ()
    return _ask(workspace, host, ("add", name, "--scope", scope, *until), json=json)


@command(name="list", help={"host": HOST, "json": JSON})
def list_(workspace: Workspace, host: str | None = None, json: bool = False) -> int:
    """List the tokens that have a name."""
    return _ask(workspace, host, ("list",), json=json)


@command(help={"name": "which", "host": HOST, "json": JSON}, positional=["name"])
def revoke(workspace: Workspace, name: str, host: str | None = None, json: bool = False) -> int:
    """Take a token away; who signed in with it is signed out."""
    return _ask(workspace, host, ("revoke", name), json=json)


def _ask(workspace: Workspace, host: str | None, words: Sequence[str], *, json: bool) -> int:
    from slipway.operate import running

    asked = ("tokens", *words, *(("--json",) if json else ()))
    with workspace.target(host) as target:
        return running.run_once(target.doors, _SERVICE, asked)
