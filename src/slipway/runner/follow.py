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
# Signs come each second; a busy host may be late with some.
_SILENT_S = 10.0
_AT_ONCE = ("turn", "end")


def follow(app_dir: str, run: str, first: int) -> list[Mapping[str, Any]]:
    """Events from number ``first`` on: what has come within a moment, at once when it matters.

    A run whose process is gone before its end has the event ``lost``; one that is frozen is ended,
    and as long as it isn't the event ``silent`` tells for how long it has been.
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
    """Whether nobody works at a run that has no end, or somebody who does nothing any more."""
    if spool.read("end.json"):
        return []
    lease = Lease(app_dir)
    silent = lease.silent()
    if lease.outlive():
        return [{"event": "silent", "seconds": round(silent), "ended": True}, {"event": "lost"}]
    if not lease.held():
        return [{"event": "lost"}]
    return [{"event": "silent", "seconds": round(silent)}] if silent > _SILENT_S else []
