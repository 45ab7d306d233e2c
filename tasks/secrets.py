"""The secrets of a deployed stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from tasks.command import HOST, JSON, command

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
    number: int = 0,
    host: str | None = None,
    json: bool = False,
) -> Answer:
    """Print the value of a secret."""
    from slipway.operate import secrets

    with workspace.target(host) as target:
        found = secrets.shown(target.doors, secret, number)
    return Answer(found.to_json(), found.value.reveal())
