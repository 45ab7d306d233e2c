"""Puts the HTTP application together and serves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from langflix import __version__
from langflix.api import clips, health, jobs, metrics, problems
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
    for module in (health, metrics, jobs, clips):
        app.include_router(module.router)
    app.add_middleware(Observe, metrics=services.metrics)
    return app


def run(settings: Settings) -> int:
    """Serve until told to stop; return the exit code."""
    uvicorn.run(
        create(settings),
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
    return 0


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.services.close()
