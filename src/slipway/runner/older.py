"""What Compose files say that an older Docker or Compose doesn't know, said as it does. Pure.

``start_interval``, the short time between two health checks while a container starts, came with
Docker 25 (API 1.44), and Compose refuses a file that has it on an older one
(https://docs.docker.com/reference/compose-file/services/#healthcheck). Compose itself hands it on
since 2.24 (docker/compose#10939); from 2.20.3 on it says nothing, and before it refuses the file.
Where one of the two is older, such a service is checked at one pace, as quick as may be for ever,
and is called unhealthy after as long as before.

Numbers of processors are texts before Compose 2.24, and numbers or texts from there on.
"""

from __future__ import annotations

import math
import re
from typing import Any

from slipway.runner.durations import seconds

#: What docker is asked: for Docker's API, and for Compose.
QUESTIONS = (
    ("version", "--format", "{{.Server.APIVersion}}"),
    ("compose", "version", "--short"),
)
_KNOW = ((1, 44), (2, 24))
_NUMBERS = re.compile(r"v?(\d+)\.(\d+)")
#: A file without any of these is everybody's.
WORDS = ("start_interval", "cpus")
_WORD = "start_interval"
_PACE_S = 5.0
_INTERVAL_S = 30.0
_RETRIES = 3

Json = dict[str, Any]


def knows(*answers: str) -> bool | None:
    """Whether both know all that a file may say; None when one does not say its version.

    Args:
        answers: to :data:`QUESTIONS`.
    """
    found = [_NUMBERS.match(answer.strip()) for answer in answers]
    if not all(found):
        return None
    versions = [tuple(map(int, one.groups())) for one in found if one]
    return all(version >= least for version, least in zip(versions, _KNOW))


def fitted(document: Json) -> Json:
    """The same Compose file, as an older Docker or Compose takes it.

    Args:
        document: Compose's model, as JSON.
    """
    services = document.get("services") or {}
    return {**document, "services": {name: _steady(_said(one)) for name, one in services.items()}}


def _said(body: Json) -> Json:
    """With numbers of processors as texts."""
    resources = (body.get("deploy") or {}).get("resources")
    if not resources:
        return body
    said = {
        kind: {key: f"{one:g}" if key == "cpus" and isinstance(one, (int, float)) else one
               for key, one in limits.items()}
        for kind, limits in resources.items()
    }  # fmt: skip
    return {**body, "deploy": {**body["deploy"], "resources": said}}


def _steady(body: Json) -> Json:
    check = body.get("healthcheck") or {}
    if _WORD not in check:
        return body
    interval_s = seconds(check.get("interval"), _INTERVAL_S)
    retries = check.get("retries") or _RETRIES
    rest = {key: value for key, value in check.items() if key != _WORD}
    if interval_s > _PACE_S:
        rest["interval"] = f"{_PACE_S:g}s"
        rest["retries"] = math.ceil(interval_s * retries / _PACE_S)
    return {**body, "healthcheck": rest}
