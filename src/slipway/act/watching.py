"""Carry out what :mod:`slipway.runner.watch` asks for, and tell what is wrong with a service."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.act.doors import Doors
from slipway.errors import DeployError
from slipway.ledger.release import Expected
from slipway.runner.watch import Fault, Look, Verdict, watch

_LOG_LINES = 10


def check_services(doors: Doors, wanted: Sequence[Expected]) -> None:
    """Watch services until they are well.

    Raises:
        DeployError: they aren't; the first one's last lines are in the details.
    """
    verdict = _watched(doors, wanted)
    if not verdict.well:
        raise explain(doors, verdict.faults, verdict.seconds)


def _watched(doors: Doors, wanted: Sequence[Expected]) -> Verdict:
    asking = watch(wanted)
    look: Look = next(asking)
    told: tuple[str, ...] = ()
    while True:
        if look.waiting_for != told:
            told = look.waiting_for
            doors.report.say(f"  waiting for {', '.join(told)}")
        containers = doors.engine.containers(
            look.waiting_for, pause_s=look.pause_s, patience_s=look.patience_s
        )
        try:
            look = asking.send((doors.clock.monotonic(), containers))
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict


def explain(doors: Doors, faults: Sequence[Fault], seconds: float | None = None) -> DeployError:
    """An error that names every fault and shows the first one's last lines."""
    first = faults[0]
    after = "" if seconds is None else f" after {seconds:.0f} s"
    details = [f"{fault.service} {fault.what}" for fault in faults[1:]]
    for fault in faults:
        lines = doors.engine.last_lines(fault.container, _LOG_LINES) if fault.container else ()
        if lines:
            details += [f"last lines of {fault.service}:", *(f"  {line}" for line in lines)]
            break
    return DeployError(f"{first.service} {first.what}{after}", details=details)
