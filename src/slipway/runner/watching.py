"""Carry out what :mod:`slipway.runner.watch` asks for, and tell what is wrong with a service."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.runner.doors import Docker, Doors
from slipway.runner.expected import Expected
from slipway.runner.failure import Failed
from slipway.runner.watch import Fault, Look, Verdict, watch

_LOG_LINES = 10
_CHECK_LINES = 3


def check_services(doors: Doors, wanted: Sequence[Expected]) -> None:
    """Watch services until they are well.

    Raises:
        Failed: they aren't; the first one's last lines are in the details.
    """
    verdict = _watched(doors, wanted)
    if not verdict.well:
        raise explained(doors.docker, verdict.faults, verdict.seconds)


def _watched(doors: Doors, wanted: Sequence[Expected]) -> Verdict:
    asking = watch(wanted)
    look: Look = next(asking)
    told: tuple[str, ...] = ()
    while True:
        if look.waiting_for != told:
            told = look.waiting_for
            doors.listener.tell("say", text=f"  waiting for {', '.join(told)}")
        doors.listener.heed()
        doors.clock.sleep(look.pause_s)
        containers = doors.docker.containers()
        try:
            look = asking.send((doors.clock.monotonic(), containers))
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict


def explained(docker: Docker, faults: Sequence[Fault], seconds: float | None = None) -> Failed:
    """An error that names every fault; of the first one what its health check and it said last."""
    first = faults[0]
    after = "" if seconds is None else f" after {seconds:.0f} s"
    details = [f"{fault.service} {fault.what}" for fault in faults[1:]]
    for fault in (one for one in faults if one.container):
        checked = docker.last_check(fault.container, _CHECK_LINES)
        wrote = docker.last_lines(fault.container, _LOG_LINES)
        for title, lines in (("health check", checked), ("last lines", wrote)):
            if lines:
                details += [f"{title} of {fault.service}:", *(f"  {line}" for line in lines)]
        if checked or wrote:
            break
    return Failed(f"{first.service} {first.what}{after}", details=details)
