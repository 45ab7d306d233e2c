"""Starts Celery's beat: sends the periodic tasks, and a heartbeat file."""

from __future__ import annotations

from typing import Any

from celery.beat import PersistentScheduler

from langflix.queue import app as queue
from langflix.queue import heartbeat
from langflix.settings import Settings

ROLE = "beat"


class BeatingScheduler(PersistentScheduler):
    """The usual scheduler, whose every turn is a heartbeat."""

    def tick(self, *args: Any, **options: Any) -> float:
        """Send what is due and return the seconds until the next turn."""
        heartbeat.beat(ROLE)
        return float(super().tick(*args, **options))


def run(settings: Settings) -> int:
    """Send periodic tasks until told to stop; return the exit code."""
    heartbeat.end(ROLE)
    heartbeat.DIRECTORY.mkdir(parents=True, exist_ok=True)
    queue.keep_our_logging()
    queue.create(settings).Beat(
        scheduler_cls=f"{__name__}:{BeatingScheduler.__name__}",
        schedule=str(heartbeat.DIRECTORY / "beat-schedule"),
        max_interval=int(heartbeat.EVERY_S),
        loglevel=settings.log_level,
        quiet=True,
    ).run()
    heartbeat.end(ROLE)
    return 0
