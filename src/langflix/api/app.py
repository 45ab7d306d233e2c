"""Puts the HTTP application together and serves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI

from langflix import __version__
from langflix.api import (
    clips,
    events,
    expressions,
    health,
    jobs,
    media,
    metrics,
    problems,
    sessions,
    tokens,
    who,
)
from langflix.api import create as create_jobs
from langflix.api.gate import Gate
from langflix.api.hub import Hub
from langflix.api.middleware import Observe
from langflix.api.services import Services
from langflix.settings import Settings

#: Requests in flight get this long to end after SIGTERM; Compose kills later than that.
SHUTDOWN_S = 25
#: Longer than the proxy keeps an idle connection, so that the proxy is the one to close it.
KEEP_ALIVE_S = 75


def create(settings: Settings) -> FastAPI:
    """Return the application for ``settings``; connections are made by the first requests."""
    services = Services.of(settings)
    app = FastAPI(
        title="LangFlix",
        version=__version__,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.services = services
    problems.install(app)
    mistaken, refused = (who.MISTAKEN, who.REFUSED) if who.wants_token(settings) else (None, None)
    for router in (health.router, metrics.router, sessions.router):
        app.include_router(router, responses=mistaken)
    modules = (jobs, create_jobs, clips, expressions, media, events, tokens)
    for router in (*(module.router for module in modules), sessions.kept):
        app.include_router(router, responses=refused)
    app.add_middleware(Gate, services=services)
    app.add_middleware(Observe, metrics=services.metrics)
    return app


def run(settings: Settings) -> int:
    """Serve until told to stop; return the exit code."""
    app = create(settings)
    config = uvicorn.Config(
        app,
        host="0.0.0.0",  # noqa: S104  the container's network decides who reaches it
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # The proxy before it is the only one that can reach the port.
        proxy_headers=True,
        forwarded_allow_ips="*",
        timeout_graceful_shutdown=SHUTDOWN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    _Server(config, app.state.services.events).run()
    return 0


class _Server(uvicorn.Server):
    """Ends event streams when it is told to stop, and so needs not wait for them."""

    def __init__(self, config: uvicorn.Config, events: Hub) -> None:
        super().__init__(config)
        self._events = events

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal to stop."""
        self._events.close()
        super().handle_exit(sig, frame)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.services.close()
