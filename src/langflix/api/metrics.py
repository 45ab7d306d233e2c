"""``/metrics`` for Prometheus: requests as they happened, jobs and queues as they are now."""

from __future__ import annotations

from collections.abc import Iterable

import redis
from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from langflix.api.services import Given, Services
from langflix.data import jobs
from langflix.data.engine import session
from langflix.errors import UnavailableError
from langflix.settings import QUEUES

router = APIRouter(tags=["health"])


class _Asked(Collector):
    """Gauges whose values others hold; one that cannot be had is left out."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()  # registering must ask nobody

    def collect(self) -> Iterable[GaugeMetricFamily]:
        up = GaugeMetricFamily("langflix_service_up", "Whether it answered.", labels=("service",))
        depth = GaugeMetricFamily("langflix_queue_depth", "Tasks waiting.", labels=("queue",))
        count = GaugeMetricFamily("langflix_jobs", "Jobs by status.", labels=("status",))
        try:
            for queue in QUEUES:
                depth.add_metric((queue,), float(str(self._services.redis.llen(queue))))
            up.add_metric(("redis",), 1)
        except redis.RedisError:
            up.add_metric(("redis",), 0)
        try:
            with session(self._services.engine) as db:
                for status, number in jobs.count_by_status(db).items():
                    count.add_metric((status,), number)
            up.add_metric(("database",), 1)
        except UnavailableError:
            up.add_metric(("database",), 0)
        return (up, depth, count)


@router.get("/metrics", response_class=Response)
def metrics(services: Given) -> Response:
    """Return the metrics in Prometheus's text format."""
    body = services.metrics.render(_Asked(services))
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST})
