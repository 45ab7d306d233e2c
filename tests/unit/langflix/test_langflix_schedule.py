"""What beat sends, and when."""

from __future__ import annotations

from datetime import timedelta

from celery import Celery
from celery.beat import ScheduleEntry

from langflix.queue import app as queue
from langflix.settings import Settings


def application(minutes: str) -> Celery:
    """Return the application for a time between scans."""
    environ = {"LANGFLIX_REDIS_URL": "redis://127.0.0.1/0", "LANGFLIX_SCAN_MINUTES": minutes}
    return queue.create(Settings.from_env(environ))


def test_scans_are_sent_as_often_as_told() -> None:
    """The entry has the time, and its messages do not outlive it: scans never pile up."""
    entry = application("7").conf.beat_schedule["scan-media"]
    assert (entry["task"], entry["schedule"]) == (queue.SCAN_MEDIA, timedelta(minutes=7))
    assert entry["options"] == {"expires": 7 * 60}


def test_zero_minutes_are_never() -> None:
    """Nothing is sent for scans, whatever another application was told, and the rest stays."""
    assert "scan-media" in application("7").conf.beat_schedule
    assert set(application("0").conf.beat_schedule) == {"remove-expired-uploads", "rescue-jobs"}


def test_the_first_scan_is_due_at_once() -> None:
    """Beat does not wait for a whole period before the first scan, as it does for others."""
    app = application("60")
    due = {
        name: ScheduleEntry(**entry, name=name, app=app).is_due().is_due
        for name, entry in app.conf.beat_schedule.items()
    }
    assert due == {"scan-media": True, "remove-expired-uploads": False, "rescue-jobs": False}
