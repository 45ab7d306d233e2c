"""``check``: a container's health check; fast, standard library only, one sentence."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from langflix.cli import output
from langflix.queue import heartbeat
from langflix.queue.heartbeat import Verdict

TIMEOUT_S = 3
#: Role: port and path that answer without a password.
HTTP = {
    "api": ("LANGFLIX_PORT", 8000, "/health"),
    "flower": ("LANGFLIX_FLOWER_PORT", 5555, "/flower/healthcheck"),
}


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print a sentence; return 0 when the role in this container is alive."""
    role = arguments.role
    if role in HTTP:
        variable, usual, path = HTTP[role]
        told = environ.get(variable, "").strip()
        verdict = _ask(role, int(told) if told.isdigit() else usual, path)
    else:
        run_dir = environ.get("LANGFLIX_RUN_DIR", "").strip() or "/tmp/langflix"  # noqa: S108
        verdict = heartbeat.check(role, Path(run_dir))
    output.data(verdict.sentence)
    return 0 if verdict.alive else 1


def _ask(role: str, port: int, path: str) -> Verdict:
    from http.client import HTTPConnection, HTTPException  # not needed for a heartbeat

    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return Verdict(False, f"{role} does not answer on port {port}: {error}")
    finally:
        connection.close()
    return Verdict(status == 200, f"{role} answers {status}")
