"""``load``: how fast a deployed stack answers while its workers are busy.

Requests go out at a steady pace, whatever becomes of those before, and each one's time counts from
when it was due: a server that stalls is not spared those that would have come meanwhile.  Lessons
in the queue keep the workers busy; all of them are deleted at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langflix.cli import output
from langflix.cli.client import bearer, unproxied
from langflix.cli.smoke import TIMEOUT_S, ok
from langflix.errors import InputError, LangflixError, UnavailableError
from langflix.settings import Settings

#: No more, so that nobody takes this for a weapon: requests in a second, seconds, jobs.
MOST = {"rate": 500, "seconds": 300, "jobs": 100}
REQUEST_S = 30.0
POLL_S = 0.1
#: What a player asks for first.
RANGE = {"Range": "bytes=0-65535"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: how long it took in milliseconds, and whether it was answered well."""

    took_ms: float
    well: bool


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Load the stack and print what came of it; return 1 when a request failed."""
    for name, most in MOST.items():
        if not 1 <= getattr(arguments, name) <= most:
            raise InputError(f"--{name} is a number from 1 to {most}")
    files = [Path(arguments.video), Path(arguments.subtitle)]
    for path in files:
        if not path.is_file():
            raise InputError(f"there is no file {path}")
    headers = bearer(Settings.from_env(environ).api_token)
    import httpx

    try:
        result = asyncio.run(_load(arguments, files, headers))
    except httpx.HTTPError as error:
        raise UnavailableError(f"{arguments.url} does not answer: {error}") from error
    if arguments.json:
        output.data_json(result)
    else:
        output.data(", ".join(f"{name} {value}" for name, value in result.items()))
    return 1 if result["failed"] else 0


async def _load(
    arguments: argparse.Namespace, files: Sequence[Path], headers: Mapping[str, str]
) -> dict[str, float]:
    import httpx

    options: dict[str, Any] = {"timeout": REQUEST_S, **unproxied(), "headers": headers}
    jobs: list[str] = []
    async with httpx.AsyncClient(base_url=arguments.url, **options) as http:
        try:
            jobs.append(await _make(http, files))
            await _until(http, jobs[0], ("DONE",))
            paths = await _paths(http, jobs[0])
            for _ in range(arguments.jobs):
                jobs.append(await _make(http, files))
            await _until(http, jobs[1], ("RUNNING", "DONE"))
            asked = await _ask_steadily(http, paths, arguments.rate, arguments.seconds)
            states = [await _state(http, job) for job in jobs]
        finally:
            for job in jobs:
                await http.delete(f"/api/v1/jobs/{job}")
    if not {"RUNNING", "PENDING"} & set(states):
        raise LangflixError("the workers had nothing left to do before the end: more --jobs")
    return {"rate": arguments.rate, "seconds": arguments.seconds, **summary(asked)}


async def _ask_steadily(
    http: Any, paths: Sequence[tuple[str, Mapping[str, str]]], rate: int, seconds: int
) -> list[Asked]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    tasks = []
    for number, (path, headers) in zip(range(rate * seconds), itertools.cycle(paths), strict=False):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - loop.time()))
        tasks.append(asyncio.create_task(_ask(http, path, headers, due)))
    return await asyncio.gather(*tasks)


async def _ask(http: Any, path: str, headers: Mapping[str, str], due: float) -> Asked:
    import httpx

    try:
        answer = await http.get(path, headers=headers)
        well = answer.status_code in (200, 206)
    except httpx.HTTPError:
        well = False
    return Asked((asyncio.get_running_loop().time() - due) * 1000, well)


async def _paths(http: Any, job: str) -> list[tuple[str, Mapping[str, str]]]:
    """Return what a person with the library open asks for."""
    clips = ok(await http.get(f"/api/v1/jobs/{job}/clips"), 200)["clips"]
    if not clips:
        raise LangflixError("the film and its subtitle gave a lesson without a clip")
    return [
        ("/api/v1/jobs?limit=20", {}),
        (f"/api/v1/jobs/{job}", {}),
        (f"/api/v1/jobs/{job}/expressions", {}),
        ("/api/v1/expressions?q=the&limit=20", {}),
        (clips[0]["url"], RANGE),
    ]


async def _make(http: Any, files: Sequence[Path]) -> str:
    video, subtitle = ((path.name, path.read_bytes()) for path in files)
    answer = await http.post("/api/v1/jobs", files={"video": video, "subtitle": subtitle})
    return str(ok(answer, 202)["id"])


async def _until(http: Any, job: str, states: Sequence[str]) -> None:
    for _ in range(int(TIMEOUT_S / POLL_S)):
        if (state := await _state(http, job)) in states:
            return
        if state == "FAILED":
            raise LangflixError(f"lesson {job} failed")
        await asyncio.sleep(POLL_S)
    raise LangflixError(f"lesson {job} is not {states[0]} after {TIMEOUT_S:.0f} s")


async def _state(http: Any, job: str) -> str:
    return str(ok(await http.get(f"/api/v1/jobs/{job}"), 200)["status"])


def summary(asked: Sequence[Asked]) -> dict[str, float]:
    """Return how many were sent and failed, and times in milliseconds that a share stayed below."""
    times = sorted(one.took_ms for one in asked)
    shares = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "most_ms": 1.0}
    return {
        "sent": len(asked),
        "failed": sum(not one.well for one in asked),
        **{name: round(_at(times, share), 1) for name, share in shares.items()},
    }


def _at(times: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile."""
    return times[max(0, math.ceil(share * len(times)) - 1)]
