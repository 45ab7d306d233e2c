"""``smoke``: one whole lesson through a deployed stack: upload, wait, download a clip, look at it.

It runs where the deploy runs, over HTTP only. A lesson that came out well is deleted again, so that
deploys leave nothing in the library; one that did not stays, to be looked at. Behind a long queue
of people's films it does not wait for its turn: that workers go on with those has to be enough.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langflix.cli import output
from langflix.cli.client import bearer, unproxied
from langflix.errors import InputError, LangflixError, UnavailableError
from langflix.media import ffmpeg
from langflix.settings import Settings

#: A lesson that gets no further for so long has failed, however slow the machine is.
TIMEOUT_S = 120.0
#: It waits so long for its turn, and then looks whether others have theirs.
QUEUE_S = 30.0
#: Between looks.
POLL_S = 0.1
#: Between looks once that has passed.
LATE_POLL_S = 1.0
REQUEST_S = 30.0


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print what the lesson came to; return 0 when a clip of it plays."""
    video, subtitle = Path(arguments.video), Path(arguments.subtitle)
    for path in (video, subtitle):
        if not path.is_file():
            raise InputError(f"{path} is no file; ./inv fetch brings the film clip")
    import httpx

    headers = bearer(Settings.from_env(environ).api_token)
    options: dict[str, Any] = {"timeout": REQUEST_S, **unproxied(), "headers": headers}
    options["proxy"] = environ.get("SLIPWAY_PROXY") or None
    try:
        with httpx.Client(base_url=arguments.url, **options) as http:
            result = _lesson(http, video, subtitle)
    except httpx.HTTPError as error:
        raise UnavailableError(f"{arguments.url} does not answer: {error}") from error
    if arguments.json:
        output.data_json(result)
    elif "behind" in result:
        output.data(f"lesson {result['job']}: not made")
    else:
        output.data(f"lesson {result['job']}: {result['clips']} clips in {result['seconds']} s")
    return 0


def _lesson(http: Any, video: Path, subtitle: Path) -> dict[str, object]:
    started = time.monotonic()
    with video.open("rb") as film, subtitle.open("rb") as text:
        files = {"video": (video.name, film), "subtitle": (subtitle.name, text)}
        job = ok(http.post("/api/v1/jobs", files=files), 202)["id"]
    if behind := _wait(http, job, started):
        output.note(f"a lesson was taken in, but not made: workers are busy with {behind} others")
        _delete(http, job)
        return {"job": job, "behind": behind, "seconds": round(time.monotonic() - started, 1)}
    expressions = ok(http.get(f"/api/v1/jobs/{job}/expressions"), 200)["expressions"]
    clips = ok(http.get(f"/api/v1/jobs/{job}/clips"), 200)["clips"]
    if not expressions or not clips:
        raise LangflixError(f"lesson {job} has no expression or no clip")
    film_ms = _look(http, clips[0])
    _delete(http, job)
    return {
        "job": job,
        "expressions": len(expressions),
        "clips": len(clips),
        "clip_ms": film_ms,
        "seconds": round(time.monotonic() - started, 1),
    }


def _wait(http: Any, job: str, started: float) -> int:
    """Return 0 when the lesson is made, else how many are being made while it waits."""
    before = _at_work(http)
    seen, moved = None, started
    while True:
        state = ok(http.get(f"/api/v1/jobs/{job}"), 200)
        now = time.monotonic()
        at = state["status"], state["progress"]
        if at != seen:
            seen, moved = at, now
        if state["status"] == "DONE":
            return 0
        if state["status"] == "FAILED":
            raise LangflixError(f"lesson {job} failed: {state['error']}")
        if state["status"] == "PENDING" and now - started > QUEUE_S:
            others = _at_work(http)
            if others - before:
                return len(others)
        if now - moved > TIMEOUT_S:
            what = f"{state['status']} at {state['progress']} % for {TIMEOUT_S:.0f} s"
            raise LangflixError(f"lesson {job} is {what}")
        time.sleep(POLL_S if now - started <= QUEUE_S else LATE_POLL_S)


def _at_work(http: Any) -> set[tuple[str, int]]:
    """Return the lessons that are being made, and how far each is."""
    page = ok(http.get("/api/v1/jobs", params={"status": "RUNNING", "limit": 200}), 200)
    return {(job["id"], job["progress"]) for job in page["jobs"]}


def _delete(http: Any, job: str) -> None:
    gone = http.delete(f"/api/v1/jobs/{job}")
    if gone.status_code != 204:
        raise LangflixError(f"lesson {job} could not be deleted: {gone.status_code}")


def _look(http: Any, clip: Mapping[str, Any]) -> int:
    """Download a clip and return its playing time in ms; raises when it is no film."""
    answer = http.get(clip["url"])
    if answer.status_code != 200 or len(answer.content) != clip["bytes"]:
        raise LangflixError(f"clip {clip['id']} came with status {answer.status_code}, cut short")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        path.write_bytes(answer.content)
        film = ffmpeg.probe(ffmpeg.program(), path)
    wanted = clip["end_ms"] - clip["start_ms"]
    if abs(film.duration_ms - wanted) > max(500, wanted // 2):
        raise LangflixError(f"clip {clip['id']} plays {film.duration_ms} ms instead of {wanted}")
    return film.duration_ms


def ok(answer: Any, status: int) -> Any:
    """Return an answer's JSON; raises LangflixError when its status is another one."""
    if answer.status_code != status:
        where = f"{answer.request.method} {answer.request.url.path}"
        raise LangflixError(f"{where} gave {answer.status_code}: {answer.text[:300]}")
    return answer.json()
