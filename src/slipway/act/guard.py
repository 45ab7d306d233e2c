"""Before something is changed: can the host take it?"""

from __future__ import annotations

from slipway.act.doors import Doors
from slipway.plan.counts import shared
from slipway.plan.draft import Draft
from slipway.plan.needs import needs, numbers
from slipway.plan.preflight import check, unconfined
from slipway.plan.scale import check_capacity


def check_host(doors: Doors, draft: Draft) -> None:
    """Refuse what can't work; see :mod:`slipway.plan.preflight`.

    Raises:
        DeployError: with every reason; nothing was changed.
        HostError: the host can't be asked.
    """
    facts = doors.engine.facts(doors.folder.path)
    found = needs(draft)
    check(doors.host.name, facts, found)
    for warning in unconfined(doors.host.name, facts):
        doors.report.warn(warning)
    if found.numbers and (warning := shared(doors.host.name, facts, *found.numbers)):
        doors.report.warn(warning)


def foresee(doors: Doors, draft: Draft) -> None:
    """Say of a host what a deploy would, before anything is done for it.

    The host is asked where something would change.

    Raises:
        DeployError: it lacks memory for as many containers as are wanted; nothing was changed.
        HostError: the host can't be asked.
    """
    wanted = numbers(draft)
    if draft.unchanged and wanted is None:
        return
    facts = doors.engine.facts(doors.folder.path)
    for warning in unconfined(doors.host.name, facts):
        doors.report.warn(warning)
    if wanted is not None and (warning := check_capacity(doors.host.name, facts, *wanted)):
        doors.report.warn(warning)
