"""Work with services that run: their logs, commands in them, one-off commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from tasks.command import HOST, JSON, command, remainder

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace


@command(
    help={
        "service": "only this one",
        "host": HOST,
        "follow": "go on showing new lines until Ctrl-C",
        "number": "how many of the last lines of each service",
        "since": "only lines younger than this, such as 10m or 2026-01-31",
    },
)
def logs(
    workspace: Workspace,
    service: str = "",
    host: str | None = None,
    follow: bool = False,
    number: int = 100,
    since: str = "",
) -> int:
    """Show what the services wrote."""
    from slipway.operate import running

    with workspace.target(host) as target:
        return running.logs(target.doors, service, follow=follow, lines=number, since=since)


@command(help={"host": HOST, "json": JSON})
def certificate(workspace: Workspace, host: str | None = None, json: bool = False) -> Answer:
    """Print the certificate that devices have to trust."""
    from slipway.operate.certificate import read_certificate

    with workspace.target(host) as target:
        told = read_certificate(target.doors)
    return Answer(told.to_json(), told.roots.rstrip(), told.talk)


@command(help={"service": "where", "host": HOST}, positional=["service"])
def exec_(workspace: Workspace, service: str, host: str | None = None) -> int:
    """Run a command in a service: exec SERVICE -- COMMAND."""
    from slipway.operate import running

    with workspace.target(host) as target:
        return running.execute(target.doors, service, remainder())


@command(help={"host": HOST, "service": "whose image and settings it has"})
def run(workspace: Workspace, host: str | None = None, service: str = "cli") -> int:
    """Run the application's CLI once: run -- ARGUMENTS."""
    from slipway.operate import running

    with workspace.target(host) as target:
        return running.run_once(target.doors, service, remainder())
