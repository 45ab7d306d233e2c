"""The HTTP application without its services."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from langflix.api.app import create
from langflix.api.health import Check, overall
from langflix.settings import Settings

NOWHERE = {
    "LANGFLIX_DATABASE_URL": "postgresql+psycopg://langflix@127.0.0.1:1/langflix",
    "LANGFLIX_REDIS_URL": "redis://127.0.0.1:1/0",
}


class Client:
    """Asks an application in this process."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and return its answer."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Send a GET request."""
        return self.request("GET", path, **options)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Give an application none of whose services is there."""
    settings = Settings.from_env({**NOWHERE, "LANGFLIX_DATA_DIR": str(tmp_path)})
    app = create(settings)
    yield Client(app)
    app.state.services.close()


def test_alive_without_any_service(client: Client) -> None:
    """The live check depends on nothing."""
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_not_ready_without_services(client: Client) -> None:
    """Readiness names what is missing and answers 503."""
    answer = client.get("/ready")
    checks = answer.json()["checks"]
    assert answer.status_code == 503
    assert {name: check["status"] for name, check in checks.items()} == {
        "database": "failed",
        "redis": "failed",
        "storage": "ok",
    }


def test_metrics_say_who_is_away(client: Client) -> None:
    """Metrics are there even when services are not."""
    text = client.get("/metrics").text
    assert 'langflix_service_up{service="redis"} 0.0' in text
    assert 'langflix_service_up{service="database"} 0.0' in text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("PUT", "/health", 405),
        ("GET", "/api/v1/jobs/not-an-id", 422),
        ("GET", "/api/v1/jobs?limit=0", 422),
        ("GET", "/api/v1/jobs", 503),
        ("GET", "/api/v1/clips/..%2f..%2fetc%2fpasswd/file", 404),
        ("POST", "/api/v1/jobs", 415),
    ],
)
def test_every_error_is_a_problem(client: Client, method: str, path: str, status: int) -> None:
    """Errors of every origin have one shape and the request's id."""
    answer = client.request(method, path, headers={"X-Request-ID": "abc-1"})
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == body["request_id"] == "abc-1"
    assert body["detail"]


def test_a_strange_request_id_is_replaced(client: Client) -> None:
    """Only short plain ids are taken over into logs."""
    answer = client.get("/health", headers={"X-Request-ID": 'x" injected'})
    assert answer.headers["x-request-id"] != 'x" injected'


def test_a_refused_upload_leaves_nothing(client: Client, tmp_path: Path) -> None:
    """When the database is away the upload is answered with 503 and removed."""
    files = {"video": ("a.mp4", b"film"), "subtitle": ("a.srt", b"text")}
    assert client.request("POST", "/api/v1/jobs", files=files).status_code == 503
    assert list((tmp_path / "uploads").iterdir()) == []


def test_openapi_tells_of_the_form_and_the_errors(client: Client) -> None:
    """The description names the form's fields and the problem type."""
    paths = client.get("/api/openapi.json").json()["paths"]
    create_job = paths["/api/v1/jobs"]["post"]
    form = create_job["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["required"]) == {"video", "subtitle"}
    assert "application/problem+json" in create_job["responses"]["413"]["content"]
    assert json.dumps(paths).count("HTTPValidationError") == 0


@pytest.mark.parametrize(
    ("states", "worst"),
    [(("ok", "ok"), "ok"), (("ok", "degraded"), "degraded"), (("degraded", "failed"), "failed")],
)
def test_the_whole_is_as_well_as_its_worst_part(states: tuple[str, str], worst: str) -> None:
    """The overall state is the worst of all checks."""
    known = {"ok": Check("ok"), "degraded": Check("degraded"), "failed": Check("failed")}
    assert overall({str(at): known[state] for at, state in enumerate(states)}) == worst
