"""Start a service anew, by the same way as a deploy does: without a gap where it can be rolled."""

from __future__ import annotations

from slipway.act.doors import Doors
from slipway.act.outcome import Result
from slipway.act.progress import Progress
from slipway.operate.running import known_service
from slipway.operate.standing import Task, carried_out, compose_of, live_draft, observe, standing_of
from slipway.plan.outage import OUTAGE
from slipway.plan.restart import NAME, steps
from slipway.plan.restart import restart as planned


def restart(doors: Doors, who: str, token: str, service: str, *, wait: bool = False) -> Result:
    """Start a service anew.

    Raises:
        ConfigError: there is no such service.
        DeployError: nothing is deployed; or it failed, and it runs as it did before.
        DeployBroken: it failed, and it could not be put back.
    """
    progress = Progress(doors, doors.clock.monotonic())
    doors.report.step("plan", doors.host.name)
    seen = observe(doors, who, wait=wait)
    live = standing_of(doors, seen)
    known_service(doors, live, service)
    draft = planned(live_draft(doors, who, seen, compose_of(doors, live)), service)
    if draft.plan.outage:
        doors.report.warn(OUTAGE)
    elif draft.plan.downtime_s:
        doors.report.say(f"  {service} is stopped first: about {draft.plan.downtime_s:g} s of it")
    task = Task(NAME, f"restart {service}", "restarted", NAME, {"restart": service}, service)
    return carried_out(progress, draft, steps(draft), task, token)
