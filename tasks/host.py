"""The machines that are deployed to: write one down, prepare it, see what is to be mended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from tasks.command import HOST, JSON, LOCKED, command

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace


@command(
    help={
        "name": "what it is to be called",
        "address": "name or IP address, or a Host of ~/.ssh/config",
        "user": "login name (TrueNAS: truenas_admin)",
        "port": "TCP port of its SSH server (default: ssh's)",
        "sudo": "run everything there as root through sudo -n (TrueNAS: yes, unless root logs in)",
        "folder": "folder there for releases, secrets and data, such as /mnt/tank/apps/langflix",
        "truenas": "it is a TrueNAS",
        "replace": "write it anew when it is there already",
        "json": JSON,
    },
    positional=["name"],
)
def add(
    workspace: Workspace,
    name: str,
    address: str = "",
    user: str = "",
    port: int | None = None,
    sudo: bool = False,
    folder: str = "",
    truenas: bool = False,
    replace: bool = False,
    json: bool = False,
) -> Answer:
    """Write down a machine of yours, and try to reach it."""
    from slipway.app import newhost

    wish = newhost.Wish(name, address, user, port or 0, sudo, folder, truenas)
    wish = newhost.ask(wish, workspace.config.application, workspace.report, sys.stdin)

    def reach(name: str) -> None:
        with workspace.target(name) as target:
            target.host.run(("true",), timeout=newhost.REACH_S)

    added = newhost.add(workspace.root, wish, reach, replace_it=replace)
    if added.problem:
        workspace.report.warn(added.problem)
        workspace.report.say(f"{added.hint}; then: {added.next}")
    return Answer(added.to_json(), talk=added.talk)


@command(help={"host": HOST, "locked": LOCKED, "json": JSON})
def doctor(
    workspace: Workspace, host: str | None = None, locked: bool = False, json: bool = False
) -> Answer:
    """Find what is wrong with a host, and how to mend it."""
    from slipway.app.doctor import diagnose
    from slipway.app.told import diagnosis_text

    found = diagnose(workspace, host, locked=locked)
    return Answer(found.to_json(), diagnosis_text(found, workspace.report), code=found.exit_code)


@command(
    help={
        "host": HOST,
        "yes": "make what is missing without asking",
        "dry-run": "only say what is there and what is missing",
        "json": JSON,
    }
)
def setup(
    workspace: Workspace,
    host: str | None = None,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> Answer:
    """Show what a fresh host lacks, then make it."""
    from slipway.app.setup import prepare, prepared_text

    found = prepare(workspace, host, yes=yes, dry=dry_run, source=sys.stdin)
    return Answer(found.to_json(), prepared_text(found, workspace.report), code=found.exit_code)
