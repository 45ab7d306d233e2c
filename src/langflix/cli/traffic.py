"""``traffic``: send every kind of traffic to a deployed stack and count what fails.

With ``--json`` two values are printed, each in a line of its own: when the load begins, so that who
started it can begin to change the stack, and at the end what came of it.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from langflix.cli import output
from langflix.cli.client import bearer
from langflix.errors import InputError
from langflix.settings import Settings

if TYPE_CHECKING:
    from langflix.traffic.count import Result

#: No more, so that nobody takes this for a weapon: requests in a second, seconds, seconds.
MOST = {"rate": 500, "seconds": 24 * 3600, "patience": 600}


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Load the stack and print what came of it; return 1 when anything failed."""
    for name, most in MOST.items():
        if not 1 <= getattr(arguments, name) <= most:
            raise InputError(f"--{name} is a number from 1 to {most}")
    video, subtitle = Path(arguments.video), Path(arguments.subtitle)
    for path in (video, subtitle):
        if not path.is_file():
            raise InputError(f"there is no file {path}")
    headers = bearer(Settings.from_env(environ).api_token)
    from langflix.traffic.run import Load, load

    def begins(at: str) -> None:
        if arguments.json:
            output.json_line({"began": at})
        else:
            output.note(f"{arguments.rate} requests in a second from {at} on")

    how = (arguments.rate, arguments.seconds, arguments.patience)
    asked = Load(arguments.url, video, subtitle, *how)
    result = asyncio.run(load(asked, headers, begins))
    if arguments.json:
        output.json_line(result.to_json())
    else:
        output.data(text(result))
    return 1 if result.failures or result.lessons.lost or result.lessons.twice else 0


def text(result: Result) -> str:
    """Return the result for a person: a line for each kind, one for the jobs."""
    lines = [f"{'kind':<12}{'failed':>7}{'of':>8}{'p50 ms':>9}{'p99 ms':>10}{'longest ms':>12}"]
    for row in result.rows:
        faults = "  ".join(f"{count} {name}" for name, count in row.faults.items())
        times = f"{row.p50_ms:>9.0f}{row.p99_ms:>10.0f}{row.longest_ms:>12.0f}"
        lines.append(f"{row.kind:<12}{row.failed:>7}{row.sent:>8}{times}  {faults}".rstrip())
    jobs = result.lessons
    done = f"{jobs.done} of {jobs.accepted} jobs done"
    return "\n".join([*lines, f"{done}, {len(jobs.lost)} lost, {len(jobs.twice)} done twice"])
