"""Tokens with names, by the application's own command line on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from tasks.command import HOST, JSON, command

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace


@command(
    help={
        "name": "how it is called, as who has it: letters, digits, . _ - (at most 64)",
        "scope": "read, upload (read, and have lessons made) or admin (all, and let others in)",
        "days": "1 to 3650: after how many days it lets in no more (default: never)",
        "host": HOST,
        "json": JSON,
    },
)
def add(
    workspace: Workspace,
    name: str,
    scope: str,
    days: int | None = None,
    host: str | None = None,
    json: bool = False,
) -> Answer:
    """Make a token with a name, and print it once."""
    from langflix.domain.tokens import problems
    from slipway.app import tokens
    from slipway.operate.asking import ask

    tokens.refuse(problems(name, scope, days), "tokens.add")
    until = () if days is None else ("--days", str(days))
    hint = f"another name, or ./inv tokens.revoke {name} first; ./inv tokens.list shows all"
    with workspace.target(host) as target:
        words = ("tokens", "add", name, "--scope", scope, *until)
        return tokens.made(ask(target.doors, words, hint=hint))


@command(name="list", help={"host": HOST, "json": JSON})
def list_(workspace: Workspace, host: str | None = None, json: bool = False) -> Answer:
    """List the tokens that have a name."""
    from slipway.app import tokens
    from slipway.operate.asking import ask

    with workspace.target(host) as target:
        return tokens.listed(ask(target.doors, ("tokens", "list"), hint="./inv --help tokens.list"))


@command(help={"name": "which", "host": HOST, "json": JSON})
def revoke(workspace: Workspace, name: str, host: str | None = None, json: bool = False) -> Answer:
    """Take a token away; who signed in with it is signed out."""
    from langflix.domain.tokens import name_problems
    from slipway.app import tokens
    from slipway.operate.asking import ask

    tokens.refuse(name_problems(name), "tokens.revoke")
    hint = "./inv tokens.list shows those there are"
    with workspace.target(host) as target:
        return tokens.revoked(ask(target.doors, ("tokens", "revoke", name), hint=hint))
