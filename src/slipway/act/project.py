"""Whose project runs: that of the mode it was deployed in, whatever hosts.toml says now."""

from __future__ import annotations

from dataclasses import replace

from slipway.act.doors import Doors
from slipway.errors import DeployError
from slipway.hosts.table import TABLE
from slipway.ledger.release import Release
from slipway.runner.containers import standing


def of_live(doors: Doors, live: Release | None) -> Doors:
    """The doors to what runs, also where another project is wanted by now."""
    if live is None or live.project == doors.engine.project:
        return doors
    return replace(doors, engine=doors.engine.of(live.project))


def same_project(doors: Doors, live: Release | None) -> None:
    """Refuse to work beside what runs as another project: it has the ports, and the same data.

    Raises:
        DeployError: it does; nothing was changed.
    """
    if live is None or live.project == doors.engine.project:
        return
    if standing(of_live(doors, live).engine.containers()):
        raise DeployError(
            f"the stack runs on {doors.host.name} as Compose project {live.project} "
            f'(mode = "{live.mode}"), and {TABLE} makes it {doors.engine.project}; '
            "nothing was changed",
            hint="./inv down ends it as it is, and keeps data and secrets; then ./inv deploy",
            stage="plan",
        )
