"""Structured logs: one JSON object a line on standard error, with request and job ids."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
job_id: ContextVar[str | None] = ContextVar("job_id", default=None)

#: Attributes that every record has; whatever else is on one came from ``extra=``.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "data"}
#: Celery puts these on its records; they repeat what the message says or cannot be JSON.
_NOISE = frozenset({"taskName", "color_message", "return_value", "args", "kwargs"})


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON; ``extra=`` fields become members."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, variable in (("request_id", request_id), ("job_id", job_id)):
            if (value := variable.get()) is not None:
                line[name] = value
        for name, extra in vars(record).items():
            if name not in _STANDARD and name not in _NOISE:
                line[name] = extra
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send every logger's records from ``level`` up to ``stream`` (standard error) as JSON."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)


@contextmanager
def about_job(identifier: str, request: str | None = None) -> Iterator[None]:
    """Mark all records inside the block with the job's id and that of the request behind it."""
    tokens = job_id.set(identifier), request_id.set(request)
    try:
        yield
    finally:
        job_id.reset(tokens[0])
        request_id.reset(tokens[1])
