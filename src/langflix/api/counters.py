"""The process's own Prometheus counters."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.registry import Collector


class Metrics:
    """Counts requests, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "langflix_http_requests_total",
            "Requests answered, by route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "langflix_http_request_seconds",
            "Time from a request's first byte to its answer's last one.",
            ("method", "route"),
            registry=self._registry,
        )

    def saw(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count one request, and its time when it says something."""
        self._requests.labels(method, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(method, route).observe(seconds)

    def render(self, asked: Collector) -> bytes:
        """Return the counters and what ``asked`` collects, in Prometheus's text format."""
        now = CollectorRegistry()
        now.register(asked)
        return generate_latest(self._registry) + generate_latest(now)
