"""Starts Celery's beat: sends the periodic tasks, and a heartbeat file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery.beat import PersistentScheduler

from langflix.queue import app as queue
from langflix.queue import heartbeat
from langflix.settings import Settings

ROLE = "beat"


class BeatingScheduler(PersistentScheduler):
    """The usual scheduler, whose every turn is a heartbeat."""

    def __init__(self, *args: Any, schedule_filename: str, **options: Any) -> None:
        self._run_dir = Path(schedule_filename).parent
        super().__init__(*args, schedule_filename=schedule_filename, **options)

    def tick(self, *args: Any, **options: Any) -> float:
        """Send what is due and return the seconds until the next turn."""
        heartbeat.beat(ROLE, self._run_dir)
        return float(super().tick(*args, **options))


def run(settings: Settings) -> int:
    """Send periodic tasks until told to stop; return the exit code."""
    heartbeat.end(ROLE, settings.run_dir)
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    queue.keep_our_logging()
    queue.create(settings).Beat(
        scheduler_cls=f"{__name__}:{BeatingScheduler.__name__}",
        schedule=str(settings.run_dir / "beat-schedule"),
        max_interval=int(heartbeat.EVERY_S),
        loglevel=settings.log_level,
        quiet=True,
    ).run()
    heartbeat.end(ROLE, settings.run_dir)
    return 0
