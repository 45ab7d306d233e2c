"""The secrets of a deployed stack."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from tasks.command import HOST, JSON, LOCKED, WAIT, command, run_here
from tasks.deploys import deployed

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace


@command(name="list", help={"host": HOST, "json": JSON})
def list_(workspace: Workspace, host: str | None = None, json: bool = False) -> Answer:
    """List secrets: versions, and who reads them; no values."""
    from slipway.operate import secrets

    with workspace.target(host) as target:
        found = secrets.listed(target.doors)
    return Answer([one.to_json() for one in found], secrets.listed_text(found))


@command(
    help={
        "secret": "which",
        "number": "of the version (default: the one that the live release uses)",
        "host": HOST,
        "json": JSON,
    },
    positional=["secret"],
)
def show(
    workspace: Workspace,
    secret: str,
    number: int | None = None,
    host: str | None = None,
    json: bool = False,
) -> Answer:
    """Print the value of a secret."""
    from slipway.operate import secrets

    with workspace.target(host) as target:
        found = secrets.shown(target.doors, secret, number)
    return Answer(found.to_json(), found.value.reveal())


@command(
    help={"secret": "which", "host": HOST, "locked": LOCKED, "wait": WAIT, "json": JSON},
    positional=["secret"],
)
def rotate(
    workspace: Workspace,
    secret: str,
    host: str | None = None,
    locked: bool = False,
    wait: bool = False,
    json: bool = False,
) -> Answer:
    """Generate a secret anew, and deploy with it."""
    from slipway.plan.replaced import rotatable

    reading = workspace.reading(workspace.entry(host), locked=locked)
    rotatable(reading.stack.secrets, reading.supplied, secret)
    return deployed(workspace, host, locked=locked, wait=wait, anew=[secret])


@command(help={"file": "which (default: the one that deploy/secrets.toml names)"})
def edit(workspace: Workspace, file: str = "") -> None:
    """Edit the file that SOPS keeps secrets in."""
    from slipway.app import sops
    from slipway.app.commands import encrypted_file, read_commands

    commands = read_commands(workspace.shell, workspace.report, workspace.root)
    path = encrypted_file(commands, file)
    sops.see_that_it_can_be_made(workspace.shell, workspace.root, path)
    workspace.report.step("edit", f"{path}, by {sops.NAME}")
    code = run_here([sops.NAME, path], hint=sops.INSTALL)
    workspace.report.say(sops.edited(path, code))


@command(name="rotate-all", help={"host": HOST, "locked": LOCKED, "wait": WAIT, "json": JSON})
def rotate_all(
    workspace: Workspace,
    host: str | None = None,
    locked: bool = False,
    wait: bool = False,
    json: bool = False,
) -> Answer:
    """Generate all secrets anew, and deploy once."""
    from slipway.plan.replaced import all_rotatable

    reading = workspace.reading(workspace.entry(host), locked=locked)
    anew = all_rotatable(reading.stack.secrets, reading.supplied)
    return deployed(workspace, host, locked=locked, wait=wait, anew=anew)


@command(
    name="set",
    help={
        "secret": "which; its value comes from standard input",
        "host": HOST,
        "locked": LOCKED,
        "wait": WAIT,
        "json": JSON,
    },
    positional=["secret"],
)
def set_(
    workspace: Workspace,
    secret: str,
    host: str | None = None,
    locked: bool = False,
    wait: bool = False,
    json: bool = False,
) -> Answer:
    """Give a secret a value of yours, and deploy with it."""
    from slipway.app.supplied import ask_value
    from slipway.plan.replaced import settable

    reading = workspace.reading(workspace.entry(host), locked=locked)
    spec = settable(reading.stack.secrets, reading.supplied, secret)
    value = ask_value(spec, sys.stdin)
    return deployed(workspace, host, locked=locked, wait=wait, supplied={secret: value})
