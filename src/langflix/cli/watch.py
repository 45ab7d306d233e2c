"""``jobs watch``: one line for each change of a job, as the API tells of it.

The API ends a stream after a minute and begins each with ``reset``, so what happened between two
streams is asked for.  Of many jobs only the newest are looked at then.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator

from langflix.cli import job, output
from langflix.cli.client import STRANGER, ApiError, Client
from langflix.cli.job import Job
from langflix.cli.sse import Event, Parser
from langflix.errors import LangflixError, UnavailableError

EVENTS = "/api/v1/events"
#: Between two streams; what the API's own ``retry`` says.
PAUSE_S = 1.0
#: A stream that brings not even a comment for this long is dead: the API sends one every 10 s.
SILENCE_S = 30.0
#: After so many streams in a row without any event the watch gives up.
FAILURES = 10
NEWEST = 200


class Seen:
    """What was shown of each job, so that nothing is shown twice."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[object, ...]] = {}

    def is_news(self, found: Job) -> bool:
        """Note how a job is; say whether that differs from what was noted before."""
        now = tuple(found[key] for key in ("status", "progress", "title", "error", "note"))
        before = self._shown.get(found["id"])
        self._shown[found["id"]] = now
        return now != before

    def forget(self, job_id: str) -> None:
        """Note that a job is gone."""
        self._shown.pop(job_id, None)


class Watch:
    """Shows changes of all jobs, or of one until it has ended."""

    def __init__(self, client: Client, only: str | None, as_json: bool) -> None:
        self._client = client
        self._only = only
        self._as_json = as_json
        self._seen = Seen()
        self._begun = False

    def take(self, event: Event) -> int | None:
        """Show what an event tells; return the exit code when there is nothing more to watch."""
        if event.name == "reset":
            return self.look()
        told = _object(event.data)
        if self._only not in (None, told.get("id")):
            return None
        if event.name == "removed":
            return self._removed(str(told.get("id")))
        return self._show(told) if event.name == "job" else None

    def look(self) -> int | None:
        """Ask how everything is and show what is new; return as :meth:`take` does."""
        if self._only is not None:
            return self._show(self._client.get(job.path(self._only)))
        for found in reversed(self._client.get(job.ROOT, {"limit": NEWEST})["jobs"]):
            if not self._begun and found["status"] in job.ENDED:
                self._seen.is_news(found)  # it ended before anybody watched
            else:
                self._show(found)
        self._begun = True
        return None

    def _show(self, found: Job) -> int | None:
        if self._seen.is_news(found):
            if self._as_json:
                output.json_line(found)
            else:
                output.data(job.line(found))
        if self._only is None or found["status"] not in job.ENDED:
            return None
        return 1 if found["status"] == "FAILED" else 0

    def _removed(self, job_id: str) -> int | None:
        self._seen.forget(job_id)
        if self._only is not None:
            raise LangflixError(f"job {job_id} was deleted")
        if self._as_json:
            output.json_line({"id": job_id, "removed": True})
        else:
            output.data(f"{job_id}  removed")
        return None


def run(client: Client, arguments: argparse.Namespace) -> int:
    """Watch until the job has ended, or until Ctrl-C; return 1 when the job failed.

    Raises:
        ApiError: the API refused; one that is only away for a while is asked again.
        UnavailableError: it stays away.

    """
    watch = Watch(client, arguments.id, arguments.json)
    code = watch.look()
    failures, last = 0, UnavailableError("the API's streams bring no event")
    while code is None:
        try:
            for event in _events(client):
                if (code := watch.take(event)) is not None:
                    return code
                failures = 0
        except ApiError as error:
            if error.status < 500:
                raise
            last = UnavailableError(str(error))
        except UnavailableError as error:
            last = error
        failures += 1
        if failures >= FAILURES:
            raise last
        time.sleep(PAUSE_S)
    return code


def _events(client: Client) -> Iterator[Event]:
    parser = Parser()
    with client.stream(EVENTS, {"Accept": "text/event-stream"}, SILENCE_S) as answer:
        if (answer.headers.get("content-type") or "").partition(";")[0] != "text/event-stream":
            raise UnavailableError(STRANGER)
        for chunk in answer.chunks():
            try:
                yield from parser.feed(chunk)
            except ValueError as error:
                raise UnavailableError(f"{STRANGER}: {error}") from error


def _object(data: str) -> Job:
    try:
        told = json.loads(data)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise UnavailableError(STRANGER)
    return told
