"""``/metrics`` for Prometheus: requests as they happened, jobs and queues as they are now."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict

import redis
from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from langflix.api.services import Given, Services
from langflix.data import films, jobs
from langflix.data.engine import session
from langflix.data.models import Status
from langflix.errors import UnavailableError
from langflix.queue.counts import BOUNDS, Counts, Ended
from langflix.settings import QUEUES

log = logging.getLogger(__name__)
router = APIRouter(tags=["health"])


class _Asked(Collector):
    """Gauges whose values others hold; one that cannot be had is left out."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()  # registering must ask nobody

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("langflix_service_up", "Whether it answered.", labels=("service",))
        depth = GaugeMetricFamily("langflix_queue_depth", "Tasks waiting.", labels=("queue",))
        shelf = GaugeMetricFamily(
            "langflix_media_films", "Films of the media share by what is known.", labels=("state",)
        )
        count = GaugeMetricFamily("langflix_jobs", "Jobs by status.", labels=("status",))
        try:
            for queue in QUEUES:
                depth.add_metric((queue,), float(str(self._services.redis.llen(queue))))
            up.add_metric(("redis",), 1)
        except redis.RedisError:
            up.add_metric(("redis",), 0)
        ended: list[Metric] = []
        try:
            counts = Counts(self._services.redis)
            ended = [*_ended(counts.read()), *_scanned(counts.scan_seconds())]
        except redis.RedisError:
            log.debug("no counters: the queue is away")
        try:
            with session(self._services.engine) as db:
                for status, number in jobs.count_by_status(db).items():
                    count.add_metric((status,), number)
                for state, number in asdict(films.count(db)).items():
                    shelf.add_metric((state,), number)
            up.add_metric(("database",), 1)
        except UnavailableError:
            up.add_metric(("database",), 0)
        return (up, depth, count, shelf, *ended)


def _ended(counts: Mapping[str, Ended]) -> Iterable[Metric]:
    took = HistogramMetricFamily(
        "langflix_job_seconds", "From a job's start to its end.", labels=("status",)
    )
    failures = CounterMetricFamily("langflix_job_failures", "Jobs that ended as FAILED.")
    for status, ended in counts.items():
        buckets = [
            (f"{bound:.1f}", number) for bound, number in zip(BOUNDS, ended.within, strict=True)
        ]
        took.add_metric((status,), [*buckets, ("+Inf", ended.count)], ended.seconds)
    failed = counts.get(Status.FAILED)
    failures.add_metric((), failed.count if failed else 0)
    return (took, failures)


def _scanned(seconds: float | None) -> Iterable[Metric]:
    if seconds is not None:
        told = "How long the last scan of the media share took."
        yield GaugeMetricFamily("langflix_media_scan_seconds", told, value=seconds)


@router.get("/metrics", response_class=Response)
def metrics(services: Given) -> Response:
    """Return the metrics in Prometheus's text format."""
    body = services.metrics.render(_Asked(services))
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST})
