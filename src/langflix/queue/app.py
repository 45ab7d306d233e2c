"""The Celery application, as every role sees it; imports no task."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery, signals
from celery.exceptions import OperationalError as CeleryUnavailable
from kombu.exceptions import OperationalError as BrokerUnavailable
from redis.exceptions import RedisError

from langflix import logs
from langflix.errors import UnavailableError
from langflix.settings import LIGHT_QUEUE, MEDIA_QUEUE, Settings

PROCESS_JOB = "langflix.process_job"
#: Header of a message: the request that the job was queued by, for the worker's logs.
REQUEST_ID = "langflix_request_id"
REMOVE_EXPIRED = "langflix.remove_expired_uploads"
RESCUE_JOBS = "langflix.rescue_jobs"
SCAN_MEDIA = "langflix.scan_media"

#: A task that takes longer is ended; the job fails.
SOFT_TIME_LIMIT_S = 3 * 3600
TIME_LIMIT_S = SOFT_TIME_LIMIT_S + 120
#: Redis gives an unacknowledged message out again after this time: longer than any task runs.
VISIBILITY_TIMEOUT_S = TIME_LIMIT_S + 600
SOCKET_TIMEOUT_S = 5
CLEAN_EVERY = timedelta(minutes=10)
RESCUE_EVERY = timedelta(minutes=1)
#: A scan bounds itself to less; a share that hangs must not hold up the light queue for ever.
SCAN_SOFT_TIME_LIMIT_S = 600
SCAN_TIME_LIMIT_S = SCAN_SOFT_TIME_LIMIT_S + 60
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

_UNREACHABLE = (CeleryUnavailable, BrokerUnavailable, RedisError, OSError)


def create(settings: Settings) -> Celery:
    """Return the application; it makes no connection before the first use."""
    app = Celery("langflix", broker=settings.need_redis().with_password(), set_as_current=False)
    app.conf.update(_CONFIGURATION)
    if settings.scan_every:
        app.conf.beat_schedule = {**app.conf.beat_schedule, "scan-media": _scans(settings)}
    return app


def _scans(settings: Settings) -> dict[str, Any]:
    """Return beat's entry for scans: the first at once, none kept for longer than till the next."""
    every = settings.scan_every
    expires = {"expires": every.total_seconds()}
    return {"task": SCAN_MEDIA, "schedule": every, "last_run_at": _LONG_AGO, "options": expires}


_CONFIGURATION: dict[str, Any] = {
    # A message is acknowledged when its work is done, so a killed worker loses none.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    # The database says what became of a job; nobody reads Celery's results.
    "task_ignore_result": True,
    "task_store_errors_even_if_ignored": False,
    "task_serializer": "json",
    "accept_content": ["json"],
    "enable_utc": True,
    "timezone": "UTC",
    "task_soft_time_limit": SOFT_TIME_LIMIT_S,
    "task_time_limit": TIME_LIMIT_S,
    "task_default_queue": LIGHT_QUEUE,
    "task_routes": {PROCESS_JOB: {"queue": MEDIA_QUEUE}},
    "task_publish_retry_policy": {"max_retries": 2, "interval_start": 0.1, "interval_max": 0.5},
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_connection_timeout": SOCKET_TIMEOUT_S,
    "broker_transport_options": {
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        "socket_connect_timeout": SOCKET_TIMEOUT_S,
        "socket_keepalive": True,
        "health_check_interval": 30,
    },
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_send_task_events": True,
    "task_send_sent_event": True,
    "worker_max_tasks_per_child": 200,
    "beat_schedule": {
        "remove-expired-uploads": {"task": REMOVE_EXPIRED, "schedule": CLEAN_EVERY},
        "rescue-jobs": {"task": RESCUE_JOBS, "schedule": RESCUE_EVERY},
    },
}


def send_job(app: Celery, job_id: str) -> None:
    """Put a job into the queue; raises UnavailableError when the queue does not answer."""
    try:
        app.send_task(PROCESS_JOB, args=[job_id], headers={REQUEST_ID: logs.request_id.get()})
    except _UNREACHABLE as error:
        raise UnavailableError(f"the queue does not answer: {first_line(error)}") from error


def waiting_jobs(app: Celery) -> set[str]:
    """Return the jobs whose messages wait in the queue; raises as :func:`send_job` does."""
    try:
        with app.connection_for_read() as connection:
            messages = connection.default_channel.client.lrange(MEDIA_QUEUE, 0, -1)
    except _UNREACHABLE as error:
        raise UnavailableError(f"the queue does not answer: {first_line(error)}") from error
    return {job_id for message in messages if (job_id := _job_of(message)) is not None}


def _job_of(message: bytes | str) -> str | None:
    """Return the job that a message is about: Celery's protocol 2, as JSON in base64."""
    try:
        arguments, *_ = json.loads(base64.b64decode(json.loads(message)["body"]))
        return str(arguments[0])
    except (ValueError, KeyError, IndexError, TypeError):
        return None


#: The light worker may answer while the one that matters hangs.
_OF_FILMS = {"pattern": f"{MEDIA_QUEUE}@*", "matcher": "glob"}


def ping_worker(app: Celery, timeout_s: float) -> list[str]:
    """Return the name of the first worker of films that answers within the time, or nothing.

    Raises:
        UnavailableError: when the queue does not answer.

    """
    try:
        answers = app.control.ping(timeout=timeout_s, limit=1, **_OF_FILMS) or []
    except _UNREACHABLE as error:
        raise UnavailableError(f"the queue does not answer: {first_line(error)}") from error
    return sorted(name for answer in answers for name in answer)


def first_line(error: BaseException) -> str:
    """Return an error's first line, or its kind when it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def keep_our_logging() -> None:
    """Stop Celery from setting up logs of its own."""
    signals.setup_logging.connect(_do_nothing, weak=False)


def _do_nothing(**_: object) -> None:
    """Take the place of Celery's set-up of logging."""
