"""Is it alive, would it serve, and what exactly is wrong.

* ``/health`` asks nothing: it says that the process answers.
* ``/ready`` asks what a request needs; a proxy sends no traffic to who says no.
* ``/health/detailed`` asks everything and says how long each took.

A stranger is told the state alone, and may be told that of a moment ago: so nobody can keep the
services busy with answering.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

import redis
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text

from langflix import __version__
from langflix.api import who
from langflix.api.services import Given, Services
from langflix.data.engine import current_revision, session
from langflix.data.history import oldest_code
from langflix.data.revisions import HEAD, REVISIONS, problem
from langflix.errors import LangflixError, MediaError, UnavailableError
from langflix.queue.app import first_line, ping_worker

#: A check that has not answered by then counts as failed.
CHECK_TIMEOUT_S = 4.0
PING_TIMEOUT_S = 1.0
#: With less room than this an upload of a film would not end well.
LOW_SPACE_BYTES = 2 * 2**30

State = Literal["ok", "degraded", "failed"]
router = APIRouter(tags=["health"])
_FAILED: dict[int | str, dict[str, object]] = {503: {"description": "A check failed."}}


@dataclass(frozen=True, slots=True)
class Check:
    """What one question brought; ``facts`` depend on who was asked."""

    status: State
    facts: Mapping[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return it as JSON-ready data."""
        return {"status": self.status, **self.facts}


def overall(checks: Mapping[str, Check]) -> State:
    """Return the worst state of all checks."""
    states = {check.status for check in checks.values()}
    return "failed" if "failed" in states else "degraded" if "degraded" in states else "ok"


@router.get("/health")
async def live() -> dict[str, str]:
    """Say that the process answers: without a thread, for all may be waiting for the database."""
    return {"status": "ok"}


@router.get("/ready", responses=_FAILED)
def ready(request: Request, services: Given) -> JSONResponse:
    """Say whether a request would be served: database, queue and storage answer."""
    return _told(request, services, "ready", NEEDED)


@router.get("/health/detailed", responses=_FAILED)
def detailed(request: Request, services: Given) -> JSONResponse:
    """Ask every part and say what each answered."""
    return _told(request, services, "detailed", CHECKS, version=__version__)


def ask(
    services: Services, questions: Mapping[str, Callable[[Services], Check]]
) -> dict[str, Check]:
    """Ask all questions at once; a late or broken answer is a failed check."""
    pool = ThreadPoolExecutor(len(questions), thread_name_prefix="health")
    try:
        asked = {
            name: pool.submit(_timed, ask_one, services) for name, ask_one in questions.items()
        }
        deadline = time.monotonic() + CHECK_TIMEOUT_S
        answers = {}
        for name, future in asked.items():
            try:
                answers[name] = future.result(max(0.0, deadline - time.monotonic()))
            except FutureTimeout:
                late = f"no answer in {CHECK_TIMEOUT_S:.0f} s"
                answers[name] = Check("failed", {"error": late, "ms": CHECK_TIMEOUT_S * 1000})
        return answers
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def check_database(services: Services) -> Check:
    """Ask PostgreSQL for one and for the revision that it is at."""
    with session(services.engine) as db:
        db.execute(text("SELECT 1"))
        current = current_revision(db)
        is_known = current is None or current in REVISIONS
        oldest = None if is_known else oldest_code(db, str(current))
    revision = {"current": current, "head": HEAD}
    if error := problem(current, oldest):
        return Check("failed", {"revision": revision, "error": error})
    return Check("ok", {"revision": revision})


def check_redis(services: Services) -> Check:
    """Ask Redis whether it is there."""
    try:
        services.redis.ping()
    except redis.RedisError as error:
        raise UnavailableError(f"the queue does not answer: {first_line(error)}") from error
    return Check("ok")


def check_workers(services: Services) -> Check:
    """Ask whether any worker takes tasks; without one, jobs wait but nothing is lost."""
    answered = ping_worker(services.celery, PING_TIMEOUT_S)
    if not answered:
        error = f"no worker answered in {PING_TIMEOUT_S:.0f} s; jobs wait"
        return Check("degraded", {"error": error})
    return Check("ok", {"answered": answered})


def check_storage(services: Services) -> Check:
    """Write a small file and look how much room is left."""
    room = services.storage.probe()
    if room["free_bytes"] < LOW_SPACE_BYTES:
        return Check("degraded", {**room, "error": "there is little room left"})
    return Check("ok", room)


NEEDED: Mapping[str, Callable[[Services], Check]] = {
    "database": check_database,
    "redis": check_redis,
    "storage": check_storage,
}
CHECKS = {**NEEDED, "workers": check_workers}


def _timed(question: Callable[[Services], Check], services: Services) -> Check:
    begin = time.monotonic()
    try:
        check = question(services)
    except (LangflixError, MediaError) as error:
        check = Check("failed", {"error": str(error)})
    except Exception as error:  # a health check answers, whatever breaks
        check = Check("failed", {"error": f"{type(error).__name__}: {first_line(error)}"})
    return Check(check.status, {**check.facts, "ms": round((time.monotonic() - begin) * 1000, 1)})


def _told(
    request: Request,
    services: Services,
    name: str,
    questions: Mapping[str, Callable[[Services], Check]],
    **more: object,
) -> JSONResponse:
    """Return what the answers say, as far as it is for whoever asks."""
    if who.is_known(services, request):
        checks = ask(services, questions)
        state, told = overall(checks), {**more, "checks": _json(checks)}
    else:
        state, told = services.lately[name].get(lambda: overall(ask(services, questions))), {}
    status = HTTPStatus.SERVICE_UNAVAILABLE if state == "failed" else HTTPStatus.OK
    return JSONResponse({"status": state, **told}, status, headers={"Cache-Control": "no-store"})


def _json(checks: Mapping[str, Check]) -> dict[str, object]:
    return {name: one.to_json() for name, one in checks.items()}
