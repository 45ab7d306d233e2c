"""The edge role: deploy/edge/haproxy.cfg in the real HAProxy; who is sent where, told what."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from tests.integration.deploy.edges import CONFIG, START, Edge
from tests.integration.deploy.rooms import wait_for
from tests.integration.deploy.test_edge_tls import TLS, keep


@pytest.mark.parametrize("tls", [False, True])
def test_the_configuration_is_valid_without_a_warning(edge: Edge, tls: bool) -> None:
    """HAProxy takes the file with warnings counted as errors, with a certificate and without."""
    keep(edge)
    checking = [*START[: START.index("--") + 1], "/usr/sbin/haproxy", "-dW", "-c", "-f", CONFIG]
    code, said = edge.room.run(checking, env=TLS if tls else {})
    assert code == 0, said
    assert "could not resolve address 'api', disabling server" in said
    assert not re.search("WARNING|ALERT", said)


def test_it_starts_before_its_backends_and_says_so(edge: Edge) -> None:
    """Without a backend people get a page and programs a problem, both with Retry-After."""
    with edge.client() as client:
        page = client.get("/")
        problem = client.get("/api/v1/jobs")
    assert (page.status_code, problem.status_code) == (503, 503)
    assert page.headers["content-type"].startswith("text/html")
    assert "Back in a moment" in page.text
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["status"] == 503
    for answer in (page, problem):
        assert answer.headers["retry-after"] == "5"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "backend"),
    [
        ("/", "frontend"),
        ("/app.js", "frontend"),
        ("/apiary", "frontend"),
        ("/healthy", "frontend"),
        ("/flowers", "frontend"),
        ("/api/v1/jobs?limit=1", "api"),
        ("/health", "api"),
        ("/health/detailed", "api"),
        ("/ready", "api"),
        ("/docs", "frontend"),
        ("/openapi.json", "frontend"),
        ("/flower/tasks", "flower"),
    ],
)
def test_each_path_reaches_its_backend(full: Edge, path: str, backend: str) -> None:
    """The path alone decides who answers."""
    with full.client() as client:
        told = client.get(path).json()
    assert (told["backend"], told["path"]) == (backend, path)


def test_flower_is_found_without_the_last_stroke(full: Edge) -> None:
    """The address that people type leads to the one that Flower knows."""
    with full.client() as client:
        answer = client.get("/flower")
    assert (answer.status_code, answer.headers["location"]) == (308, "/flower/")


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/metrics/x", "/metrics?x=1"])
def test_metrics_are_not_for_the_public(full: Edge, path: str) -> None:
    """Nobody outside reads the API's metrics."""
    with full.client() as client:
        assert client.get(path).status_code == 403
    assert not full.backends["api"].paths


def test_what_a_client_says_about_its_origin_is_not_believed(full: Edge) -> None:
    """Forwarding headers are the edge's own, whatever came in."""
    lies = {
        "X-Forwarded-For": "10.9.9.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "for=10.9.9.9",
        "X-Real-IP": "10.9.9.9",
        "X-Request-ID": "mine",
        "Host": "films.example",
    }
    with full.client() as client:
        answer = client.get("/api/x", headers=lies)
    headers = answer.json()["headers"]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-host"] == "films.example"
    assert not {"forwarded", "x-real-ip", "x-forwarded-prefix"} & set(headers)
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-request-id"])
    assert answer.headers["x-request-id"] == headers["x-request-id"]


@pytest.mark.parametrize("path", ["/", "/api/x", "/metrics", "/flower/"])
def test_every_answer_carries_the_security_headers(full: Edge, path: str) -> None:
    """Answers of backends and of the edge itself are alike, and name no server software."""
    with full.client() as client:
        headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "server" not in headers


def test_uploads_go_to_the_api_alone(full: Edge) -> None:
    """A body of many megabytes streams to the API; elsewhere what fits in a buffer is the most."""
    block = b"x" * 65536
    with full.client() as client:
        body = block * 300
        assert client.post("/api/v1/jobs", content=body).json()["bytes"] == len(body)
        assert client.post("/flower/x", content=body).status_code == 413


def test_each_request_is_one_json_line_without_its_query(full: Edge) -> None:
    """The log is JSON with the request's id, and holds no query."""
    with full.client() as client:
        answer = client.get("/api/x?token=canary")

    def line() -> dict[str, object] | None:
        rows = [row for row in full.room.log.read_text().splitlines() if '"/api/x"' in row]
        found: dict[str, object] | None = json.loads(rows[0]) if rows else None
        return found

    found = wait_for(line, "the log line")
    assert found["status"] == 200
    assert (found["method"], found["backend"], found["server"]) == ("GET", "api", "a")
    assert found["request_id"] == answer.headers["x-request-id"]
    assert "canary" not in full.room.log.read_text()


def test_internal_pages_are_on_the_internal_port(full: Edge) -> None:
    """Metrics of the edge are for the networks inside; its other paths are closed."""
    with full.room.house.entered(), httpx.Client(timeout=10, trust_env=False) as client:
        metrics = client.get("http://127.0.0.1:8405/metrics")
        other = client.get("http://127.0.0.1:8405/other")
    assert 'haproxy_server_status{proxy="api",server="a",state="UP"} 1' in metrics.text
    assert other.status_code == 404
