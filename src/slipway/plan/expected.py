"""What a stack's services should come to, from their Compose definitions. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from slipway.runner.expected import Expected
from slipway.stack.health import health_check, replicas
from slipway.stack.model import Stack

_SETTLE_S = 1.0
_ENDS_S = 60.0
_SLACK_S = 5.0


def expected(stack: Stack, names: Sequence[str]) -> tuple[Expected, ...]:
    """What the named services should come to."""
    result = []
    for name in names:
        body, ends = stack.services[name], stack.ends(name)
        check = health_check(body)
        deadline = (check.deadline_s if check else _ENDS_S if ends else _SETTLE_S) + _SLACK_S
        result.append(Expected(name, replicas(body), math.ceil(deadline), ends))
    return tuple(result)
