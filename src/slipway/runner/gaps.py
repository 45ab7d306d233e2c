"""For how long a service did not answer, from Docker's own events. Pure.

``docker events --format '{{json .}}'`` prints an object a line: ``Action``, ``Actor`` with ``ID``
and ``Attributes`` (the container's labels among them), ``timeNano``. A container serves from its
start on, or where it has a health check from the first time that one passes, until it is told to
stop or dies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from slipway.runner.containers import Container, standing

ACTIONS = ("start", "kill", "die", "health_status")
_SERVICE = "com.docker.compose.service"
_ONE_OFF = "com.docker.compose.oneoff"
_HEALTHY = "health_status: healthy"


def gaps(
    before: Iterable[Container], events: str, checked: Mapping[str, bool], end: float
) -> dict[str, float]:
    """Seconds in which no container of a service served, though one had before.

    Args:
        before: the application's containers when it began.
        events: what Docker printed from then on.
        checked: service to whether it has a health check.
        end: when it ended, in seconds since 1970.

    Returns:
        Service to the sum of its gaps, to the millisecond; those without one are left out.
    """
    serving: dict[str, set[str]] = {}
    for one in standing(before):
        if one.well:
            serving.setdefault(one.service, set()).add(one.id)
    since: dict[str, float] = {}
    lengths: dict[str, float] = {}
    for at, service, identity, action in _read(events):
        theirs = serving.get(service)
        if theirs is None:
            continue
        if action == _HEALTHY or (action == "start" and not checked.get(service, False)):
            theirs.add(identity)
            if service in since:
                lengths[service] = lengths.get(service, 0.0) + at - since.pop(service)
        elif action in ("kill", "die") and identity in theirs:
            theirs.remove(identity)
            if not theirs:
                since[service] = at
    for service, began in since.items():
        lengths[service] = lengths.get(service, 0.0) + max(0.0, end - began)
    return {service: round(length, 3) for service, length in sorted(lengths.items())}


def _read(events: str) -> Iterable[tuple[float, str, str, str]]:
    """Time, service, container and action of each event of a service's; others are passed over."""
    for line in events.splitlines():
        try:
            event: dict[str, Any] = json.loads(line)
            actor = event["Actor"]
            labels = actor["Attributes"]
            if labels.get(_ONE_OFF, "").lower() != "true":
                at = event["timeNano"] / 1e9
                yield at, labels[_SERVICE], actor["ID"], event["Action"]
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
