"""Starts the Celery worker: prefork, warm shutdown on SIGTERM, a heartbeat file."""

from __future__ import annotations

from typing import Any

from celery import Celery, bootsteps

from langflix.queue import app as queue
from langflix.queue import heartbeat, tasks
from langflix.settings import Settings

ROLE = "worker"
#: Name under which the application's configuration holds ``Settings.run_dir``.
RUN_DIR = "langflix_run_dir"


class Heartbeat(bootsteps.StartStopStep):
    """Beats while the worker's loop turns and its queue answers."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        """Begin to beat, once the worker takes tasks."""
        arguments = (ROLE, parent.app.conf[RUN_DIR])
        heartbeat.beat(*arguments)
        self._timer = parent.timer.call_repeatedly(heartbeat.EVERY_S, heartbeat.beat, arguments)

    def stop(self, parent: Any) -> None:
        """Stop beating: the queue went away, or the worker ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def create(settings: Settings) -> Celery:
    """Return the application with its tasks and the heartbeat."""
    settings.need_database()
    app = queue.create(settings)
    tasks.register(app, settings)
    app.conf[RUN_DIR] = settings.run_dir
    app.steps["consumer"].add(Heartbeat)
    return app


def run(settings: Settings) -> int:
    """Work until told to stop; return the exit code."""
    heartbeat.end(ROLE, settings.run_dir)
    queue.keep_our_logging()
    worker = create(settings).Worker(
        pool_cls="prefork",
        concurrency=settings.concurrency,
        queues=list(queue.QUEUES),
        loglevel=settings.log_level,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    heartbeat.end(ROLE, settings.run_dir)
    return int(worker.exitcode or 0)
