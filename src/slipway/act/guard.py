"""Before something is changed: can the host take it, and is it still as it was planned on?"""

from __future__ import annotations

from slipway.act.doors import Doors
from slipway.errors import DeployError
from slipway.ledger.lease import Lease
from slipway.plan.draft import Draft
from slipway.plan.preflight import check, needs
from slipway.plan.step import Belief, fingerprint


class PlanIsStale(DeployError):
    """The host changed between planning and acting."""


def check_host(doors: Doors, draft: Draft) -> None:
    """Refuse what can't work; see :mod:`slipway.plan.preflight`.

    Raises:
        DeployError: with every reason; nothing was changed.
        HostError: the host can't be asked.
    """
    check(doors.host.name, doors.engine.facts(doors.folder.path), needs(draft))


def check_belief(doors: Doors, lease: Lease, believed: Belief) -> None:
    """Renew the lease, and ask again what the plan was made on.

    Raises:
        PlanIsStale: it isn't so any more; this step did nothing.
        DeployError: the lease was lost.
    """
    current = lease.renew()
    if current != believed.current:
        raise PlanIsStale(
            f"{current or 'no release'} is live on {doors.host.name} now; the plan was made for "
            f"{believed.current or 'none'}",
            hint="deploy again: the plan is made anew",
        )
    if believed.containers is None:
        return
    seen = fingerprint(doors.engine.containers())
    if seen != believed.containers:
        changed = sorted({one[0] for one in set(seen) ^ set(believed.containers)})
        raise PlanIsStale(
            f"containers on {doors.host.name} changed since the plan was made: "
            f"{', '.join(changed)}",
            hint="deploy again: the plan is made anew",
        )
