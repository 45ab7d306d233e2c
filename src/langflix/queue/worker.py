"""Starts the Celery worker: prefork, warm shutdown on SIGTERM, a heartbeat file.

Told to take both queues, as it is by default, it takes the long jobs itself and has a
:mod:`helper <langflix.queue.helper>` take the light ones.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from celery import Celery, bootsteps, signals
from celery.utils.nodenames import host_format

from langflix.queue import app as queue
from langflix.queue import heartbeat, tasks
from langflix.queue.helper import Helper, orphaned
from langflix.settings import LIGHT_QUEUE, MEDIA_QUEUE, Settings

#: Queue: the role whose heartbeat its worker gives.
ROLES = {MEDIA_QUEUE: "worker", LIGHT_QUEUE: "light"}
#: Name under which the application's configuration holds what :class:`Heartbeat` needs.
BEAT = "langflix_beat"


class Heartbeat(bootsteps.StartStopStep):
    """Beats while the worker's loop turns and its queue answers."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        """Begin to beat, once the worker takes tasks."""
        beat = parent.app.conf[BEAT]
        beat()
        self._timer = parent.timer.call_repeatedly(heartbeat.EVERY_S, beat)

    def stop(self, parent: Any) -> None:
        """Stop beating: the queue went away, or the worker ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def create(settings: Settings) -> Celery:
    """Return the application with its tasks."""
    settings.need_database()
    app = queue.create(settings)
    tasks.register(app, settings)
    return app


def run(settings: Settings) -> int:
    """Work until told to stop; return the exit code."""
    queue.keep_our_logging()
    if len(settings.queues) == 1:
        return _work(settings, settings.queues[0], None)
    helper = Helper()
    try:
        return _work(settings, MEDIA_QUEUE, helper)
    finally:
        helper.end()


def _work(settings: Settings, name: str, helper: Helper | None) -> int:
    role = ROLES[name]
    heartbeat.end(role, settings.run_dir)

    def beat() -> None:
        if helper is not None:
            helper.keep()
        if orphaned():
            os.kill(os.getpid(), signal.SIGTERM)
        heartbeat.beat(role, settings.run_dir)

    def stop(how: str = "", **_: object) -> None:
        if helper is not None:
            helper.stop()
        if how == "Warm":
            _stop_later(settings.stop_within.total_seconds())

    signals.worker_shutting_down.connect(stop, weak=False)
    app = create(settings)
    app.conf[BEAT] = beat
    app.steps["consumer"].add(Heartbeat)
    worker = app.Worker(
        pool_cls="prefork",
        # Celery's own command line fills this in; one name for all of several workers would make
        # one of them in what Flower shows, and of who answers.
        hostname=host_format(f"{name}@%h"),
        concurrency=settings.concurrency,
        queues=[name],
        loglevel=settings.log_level,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    heartbeat.end(role, settings.run_dir)
    return int(worker.exitcode or 0)


def _stop_later(seconds: float) -> None:
    """Give up waiting for the job in hand after ``seconds``: its message goes back to the queue.

    The container's own time to stop is longer, so the queue hears of it before the end.
    """
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGQUIT))
    timer.daemon = True
    timer.start()
