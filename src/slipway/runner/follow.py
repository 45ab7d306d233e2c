"""What has happened in a run since somebody last asked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from slipway.runner.lease import Lease
from slipway.runner.spool import Spool

_FOLLOW_S = 8.0
_GATHER_S = 0.8
_LOOK_S = 0.03
_AT_ONCE = ("turn", "end")


def follow(app_dir: str, run: str, first: int) -> list[Mapping[str, Any]]:
    """Events from number ``first`` on: what has come within a moment, at once when it matters.

    A run whose process is gone before its end has the event ``lost``.
    """
    spool, began, came = Spool(app_dir, run), time.monotonic(), 0.0
    while True:
        spool.touch("heard")
        found = spool.events(first)
        now = time.monotonic()
        if found and not came:
            came = now
        if any(event["event"] in _AT_ONCE for event in found):
            if found[-1]["event"] == "end":
                spool.touch("told")
            return list(found)
        if (came and now - came >= _GATHER_S) or now - began >= _FOLLOW_S:
            return [*found, *_lost(app_dir, spool)]
        time.sleep(_LOOK_S)


def _lost(app_dir: str, spool: Spool) -> list[Mapping[str, Any]]:
    """Whether nobody works at a run that has no end."""
    if Lease(app_dir).held() or spool.read("end.json"):
        return []
    return [{"event": "lost"}]
