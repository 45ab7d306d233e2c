"""``app.container_log_follow``: what a container writes, line by line, as events.

Source: ``plugins/apps/logs.py`` and ``common/event_source/manager.py`` of the middleware.
"""

from __future__ import annotations

import json
import subprocess
import threading
from typing import Any

from .appquery import instance
from .appstates import STOPPED
from .errors import CallError
from .middleware import Call
from .session import Session

NAME = "app.container_log_follow"
ROLE = "APPS_READ"
_USUAL_LINES = 500


def follow(call: Call, session: Session, source: str) -> None:
    """Tell a client of a container's lines until it is gone; one that can't be has none.

    Args:
        source: its name, a colon and its arguments as JSON.
    """
    try:
        asked = json.loads(source.partition(":")[2])
        app, number = str(asked["app_name"]), str(asked["container_id"])
        lines = asked.get("tail_lines", _USUAL_LINES)
        _there(call, app, number)
    except (ValueError, KeyError, TypeError, CallError):
        return
    tail = "all" if lines is None else str(lines)
    argv = [call.middleware.settings.docker, "container", "logs", "--follow", "--timestamps",
            "--tail", tail, number]  # fmt: skip
    threading.Thread(target=_told, args=(session, source, argv), daemon=True).start()


def _there(call: Call, app: str, number: str) -> None:
    row = instance(call, app)
    if row["state"] == STOPPED:
        raise CallError(f"Unable to retrieve logs of stopped {app!r} app")
    if not any(one["id"] == number for one in row["active_workloads"]["container_details"]):
        raise CallError(f'Container "{number}" not found in app "{app}"')


def _told(session: Session, source: str, argv: list[str]) -> None:
    program = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace",
    )  # fmt: skip
    try:
        for line in program.stdout or ():
            if source not in session.subscriptions.values():
                return
            session.send_event(_event(source, line))
    finally:
        program.kill()
        program.wait()


def _event(source: str, line: str) -> dict[str, Any]:
    stamp, _, text = line.partition(" ")
    moment = stamp.rstrip("Z").replace("T", " ")[:26] + "+00:00"
    return {
        "msg": "added",
        "collection": source,
        "fields": {"data": text.lstrip(), "timestamp": moment},
    }
