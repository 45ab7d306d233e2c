"""The page served for tests as the frontend serves it, beside the API on one address."""

from __future__ import annotations

import re
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request, Response
from selenium import webdriver
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send
from tests.integration.langflix.conftest import ROOT, Stack, free_port, wait_until

from langflix.api.app import create
from langflix.settings import Settings

WEB = ROOT / "src" / "langflix" / "web"
NGINX = ROOT / "deploy" / "images" / "frontend" / "etc" / "nginx" / "nginx.conf"


@contextmanager
def serve(stack: Stack, **environ: str) -> Iterator[str]:
    """Serve page and API of a stack for the block, with nginx's rules for what may be loaded."""
    found = re.search(r'Content-Security-Policy "([^"]+)"', NGINX.read_text("utf-8"))
    assert found, NGINX
    policy = found[1]
    api = create(Settings.from_env({**stack.environ, **environ}))
    front = FastAPI()
    front.mount("/", StaticFiles(directory=WEB, html=True))

    @front.middleware("http")
    async def guarded(
        request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await answer(request)
        response.headers["Content-Security-Policy"] = policy
        return response

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and not scope["path"].startswith("/api/")
        await (front if is_page else api)(scope, receive, send)

    port = free_port()
    config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the site is served")
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


def click_entry(chrome: webdriver.Chrome, name: str) -> None:
    """Click the share's entry of a name, once it is there; in one step with finding it."""
    script = """
        const buttons = [...document.querySelectorAll("#media-entries button")];
        const found = buttons.find((button) => button.textContent === arguments[0]);
        found?.click();
        return found !== undefined;
    """
    wait_until(lambda: bool(chrome.execute_script(script, name)), name)
