"""Before something is changed: can the host take it?"""

from __future__ import annotations

from slipway.act.doors import Doors
from slipway.plan.draft import Draft
from slipway.plan.preflight import check, needs


def check_host(doors: Doors, draft: Draft) -> None:
    """Refuse what can't work; see :mod:`slipway.plan.preflight`.

    Raises:
        DeployError: with every reason; nothing was changed.
        HostError: the host can't be asked.
    """
    check(doors.host.name, doors.engine.facts(doors.folder.path), needs(draft))
