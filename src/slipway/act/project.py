"""Whose project runs: that of the mode it was deployed in, whatever hosts.toml says now."""

from __future__ import annotations

from dataclasses import replace

from slipway.act.doors import Doors
from slipway.errors import DeployError
from slipway.hosts.table import TABLE
from slipway.ledger.records import Memory
from slipway.ledger.release import Release
from slipway.runner.containers import standing


def of_live(doors: Doors, live: Release | None) -> Doors:
    """The doors to what runs, also where another project is wanted by now.

    TrueNAS tells of its apps only: where nobody else may be asked, there is no other door.
    """
    if live is None or doors.only or live.project == doors.engine.project:
        return doors
    return replace(doors, engine=doors.engine.of(live.project))


def same_project(doors: Doors, memory: Memory) -> None:
    """Refuse to work beside what runs as another project: it has the ports, and the same data.

    Raises:
        DeployError: it does, or nobody may ask whether it does; nothing was changed.
    """
    live = memory.records.live
    if live is None or live.project == doors.engine.project:
        return
    if doors.only:
        _taken_down(doors, memory, live)
        return
    if standing(of_live(doors, live).engine.containers()):
        raise DeployError(
            f"the stack runs on {doors.host.name} as Compose project {live.project} "
            f'(mode = "{live.mode}"), and {TABLE} makes it {doors.engine.project}; '
            "nothing was changed",
            hint="./inv down ends it as it is, and keeps data and secrets; then ./inv deploy",
            stage="plan",
        )


def _taken_down(doors: Doors, memory: Memory, live: Release) -> None:
    """See that what TrueNAS does not tell of was taken down, or became the app since."""
    if memory.down is None and not doors.engine.state().app:
        raise DeployError(
            f"the stack was deployed on {doors.host.name} as Compose project {live.project} "
            f'(mode = "{live.mode}"), and nobody may ask there whether it still runs; '
            "nothing was changed",
            hint=f'write mode = "{live.mode}" into {TABLE} again, ./inv down as a user with the '
            "right to Docker, then change the mode",
            stage="plan",
        )
