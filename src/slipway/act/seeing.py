"""See a host: what its folder and its engine hold, each in a round trip."""

from __future__ import annotations

from slipway.act.doors import Doors
from slipway.ledger.records import Memory
from slipway.ledger.release import Release
from slipway.plan.credited import credited, made_by
from slipway.plan.wanted import Seen
from slipway.runner.containers import Container


def see(doors: Doors, memory: Memory | None = None) -> Seen:
    """What a host holds.

    Args:
        doors: to the host.
        memory: what its folder holds, where that was read already.

    Raises:
        HostError: it can't be asked.
    """
    held = doors.folder.read() if memory is None else memory
    engine = doors.engine.state()
    return Seen(held, credited(held, engine) if doors.only else engine)


def see_after(doors: Doors, release: Release) -> tuple[Container, ...]:
    """The containers once a release was started, as they are shown.

    Raises:
        HostError: the host can't be asked.
    """
    if not doors.only:
        return doors.engine.containers()
    return made_by(release, doors.engine.state()).identified
