"""Disposable hosts on this machine."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from slipway.errors import ConfigError
from slipway.report import table
from tasks.command import JSON, LOCKED, command, remainder

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace

_NAME = "name of the rehearsal host"
_RELEASE = "of TrueNAS: 24.10, 25.04, 25.10 or 26; else as hosts.toml has it, or as it was"


@command(help={"name": _NAME, "release": _RELEASE, "json": JSON, "locked": LOCKED})
def up(
    workspace: Workspace,
    name: str = "rehearsal",
    release: str = "",
    json: bool = False,
    locked: bool = False,
) -> Answer:
    """Boot a disposable host with sshd and Docker."""
    from slipway.hosts.rehearsal.truenas import check_release

    check_release(release)
    wanted = release or workspace.release_of(name)
    tree = workspace.tree(locked=locked)
    info = workspace.rehearsals().up(name, tree, release=wanted or None)
    system = f"TrueNAS {info.release}, " if info.release else ""
    talk = f"{info.name} is up at {info.address} ({system}Docker {info.docker_version})"
    return Answer(info.to_json(), talk=talk)


@command(help={"json": JSON})
def status(workspace: Workspace, json: bool = False) -> Answer:
    """List the rehearsal hosts."""
    infos = workspace.rehearsals().list_all()
    rows = [
        (
            info.name,
            info.address,
            info.release or "-",
            info.docker_version,
            info.booted_at,
            info.problem or "up",
        )
        for info in infos
    ]
    text = (
        table(rows, head=("name", "address", "truenas", "docker", "booted", "state"))
        if rows
        else "there is no rehearsal host; ./inv rehearsal.up boots one"
    )
    return Answer([info.to_json() for info in infos], text)


@command(help={"name": _NAME})
def shell(workspace: Workspace, name: str = "rehearsal") -> int:
    """Log in to a rehearsal host."""
    info = workspace.rehearsals().status(name)
    if info is None:
        raise ConfigError(
            f"there is no rehearsal host {name}",
            hint=f"./inv rehearsal.up --name {name}",
            stage="config",
        )
    argv = ["ssh", "-i", info.key_path, "-p", str(info.ssh_port)]
    argv += ["-o", f"UserKnownHostsFile={info.known_hosts_path}", "-o", "IdentitiesOnly=yes"]
    argv += ["-o", "StrictHostKeyChecking=yes", f"{info.user}@{info.address}"]
    if remainder():
        argv.append(shlex.join(remainder()))
    return subprocess.run(argv, check=False).returncode


@command(help={"name": _NAME})
def down(workspace: Workspace, name: str = "rehearsal") -> None:
    """Remove a rehearsal host with all its data."""
    if not workspace.rehearsals().down(name):
        workspace.report.say(f"there is no rehearsal host {name}")
