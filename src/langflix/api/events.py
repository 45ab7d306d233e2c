"""Changes of jobs as they happen: server-sent events.

::

    event: job      data: the job as GET /api/v1/jobs/{id} gives it
    event: removed  data: {"id": "…"}
    event: reset    data: {}     changes may have been missed: ask for the list again

A comment line comes while nothing happens, so that no proxy takes the stream for dead.  A stream
ends after a minute and the browser opens the next by itself: a server that is being replaced is
never held up by old streams.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from langflix.api import schemas
from langflix.api.services import Given, Services
from langflix.data import jobs
from langflix.data.engine import session
from langflix.errors import UnavailableError

HEARTBEAT_S = 10.0
STREAM_S = 60.0
RETRY_MS = 1000
#: X-Accel-Buffering: proxies that buffer leave this answer alone.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

router = APIRouter(prefix="/api/v1/events", tags=["events"])


@router.get(
    "",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(services: Given) -> StreamingResponse:
    """Stream changes of jobs as server-sent events."""
    return StreamingResponse(_stream(services), media_type="text/event-stream", headers=HEADERS)


async def _stream(services: Services) -> AsyncIterator[str]:
    end = time.monotonic() + STREAM_S
    yield f"retry: {RETRY_MS}\n\n"
    async with services.events.listening() as listener:
        while not listener.closing and (left := end - time.monotonic()) > 0:
            changed, reset = await listener.take(min(HEARTBEAT_S, left))
            if reset:
                yield _event("reset", {})
            if changed:
                try:
                    told = await run_in_threadpool(_told, services, changed)
                except UnavailableError:
                    told = _event("reset", {})
                yield told
            if not (reset or changed):
                yield ": nothing new\n\n"


def _told(services: Services, changed: list[str]) -> str:
    with session(services.engine) as db:
        found = {row.id: schemas.Job.of(row) for row in jobs.some(db, changed)}
    return "".join(
        _event("job", found[job_id].model_dump(mode="json"))
        if job_id in found
        else _event("removed", {"id": job_id})
        for job_id in changed
    )


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
