"""A film and a subtitle go through the real API, queue, worker and database.

Longer than other modules, because all of it looks at one lesson that takes a while to make.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tests.integration.langflix.conftest import SUBTITLE, Stack, wait_until

from langflix.data.engine import connect, session, sole_worker_of
from langflix.data.models import Clip, Expression, Job, Status
from langflix.media import ffmpeg
from langflix.media.storage import Storage
from langflix.queue import work
from langflix.queue.app import create, send_job


def upload(client: httpx.Client, video: bytes, subtitle: bytes) -> dict[str, Any]:
    """Send a job and return the answer's body."""
    files = {"video": ("Big Buck.mp4", video), "subtitle": ("Big Buck.srt", subtitle)}
    answer = client.post("/api/v1/jobs", files=files)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/api/v1/jobs/{body['id']}"
    return body


def ended(client: httpx.Client, job_id: str) -> dict[str, Any]:
    """Wait for a job's end and return the job."""
    last: dict[str, Any] = {}

    def over() -> bool:
        last.update(client.get(f"/api/v1/jobs/{job_id}").raise_for_status().json())
        return last["status"] in ("DONE", "FAILED")

    wait_until(over, f"job {job_id} ends")
    return last


@pytest.fixture(scope="module")
def done(
    api: httpx.Client, worker: subprocess.Popen[bytes], clip: Path
) -> Iterator[dict[str, Any]]:
    """Run one good job to its end."""
    job = upload(api, clip.read_bytes(), SUBTITLE.read_bytes())
    assert job["status"] == "PENDING"
    yield ended(api, job["id"])


def test_a_film_becomes_a_lesson(api: httpx.Client, done: dict[str, Any]) -> None:
    """A good upload ends as DONE with the subtitle's expressions, in the film's order."""
    assert (done["status"], done["progress"], done["error"]) == ("DONE", 100, None)
    path = f"/api/v1/jobs/{done['id']}"
    expressions = api.get(f"{path}/expressions").json()["expressions"]
    phrases = [expression["phrase"] for expression in expressions]
    assert phrases == ["face the music", "wake up", "put up with"]
    clips = api.get(f"{path}/clips").json()["clips"]
    assert [clip["expression_id"] for clip in clips] == [one["id"] for one in expressions]


def test_a_job_tells_what_its_film_is(
    api: httpx.Client, done: dict[str, Any], clip: Path, stack: Stack
) -> None:
    """Length, size and codecs come with the job once a worker has looked; before that, nothing."""
    assert done["film"] == ffmpeg.probe(ffmpeg.program(), clip).to_json()
    assert upload(api, b"no film", SUBTITLE.read_bytes())["film"] is None
    told = stack.run("jobs", "get", done["id"], "--url", stack.url, "--json")
    assert json.loads(told.stdout)["film"] == done["film"]


def test_a_clip_is_a_playable_video(api: httpx.Client, done: dict[str, Any], stack: Stack) -> None:
    """Each clip downloads whole as MP4 and has the length that its row says."""
    for clip in api.get(f"/api/v1/jobs/{done['id']}/clips").json()["clips"]:
        answer = api.get(clip["url"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
        assert len(answer.content) == clip["bytes"]
        file = stack.home / "downloaded.mp4"
        file.write_bytes(answer.content)
        film = ffmpeg.probe(ffmpeg.program(), file)
        assert (film.video_codec, film.height) == ("h264", 720)
        assert abs(film.duration_ms - (clip["end_ms"] - clip["start_ms"])) < 150


def test_a_player_may_ask_for_a_range(api: httpx.Client, done: dict[str, Any]) -> None:
    """A range request is answered with just these bytes; one past the end with 416."""
    clip = api.get(f"/api/v1/jobs/{done['id']}/clips").json()["clips"][0]
    whole = api.get(clip["url"]).content
    part = api.get(clip["url"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    beyond = api.get(clip["url"], headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416


def test_a_lesson_has_videos(api: httpx.Client, done: dict[str, Any]) -> None:
    """The whole lesson and its short are listed with their sizes and come as MP4, in ranges."""
    videos = api.get(f"/api/v1/jobs/{done['id']}/videos").json()["videos"]
    assert [video["kind"] for video in videos] == ["lesson", "short"]
    for video in videos:
        part = api.get(video["url"], headers={"Range": "bytes=4-7"})
        assert (part.status_code, part.content) == (206, b"ftyp")
        assert part.headers["content-range"] == f"bytes 4-7/{video['bytes']}"
    assert api.get(f"/api/v1/jobs/{done['id']}/videos/poster/file").status_code == 422


def test_running_a_job_again_changes_nothing(
    api: httpx.Client, done: dict[str, Any], stack: Stack
) -> None:
    """A second delivery of a finished job, and a second run of its work, leave the same rows."""
    settings = stack.settings
    engine = connect(settings.need_database())
    before = api.get(f"/api/v1/jobs/{done['id']}/clips").json()
    app = create(settings)
    send_job(app, done["id"])
    wait_until(lambda: "job.skipped" in stack.log("worker"), "the second delivery is skipped")
    with session(engine) as db:
        job = db.get(Job, done["id"])
        assert job is not None
        job.status = Status.RUNNING  # as a worker leaves it that dies before its last step
    storage = Storage(settings.data_dir)
    work.process_job(work.Doors(engine, storage, ffmpeg.program), done["id"])
    assert api.get(f"/api/v1/jobs/{done['id']}/clips").json() == before
    with session(engine) as db:
        assert len(db.scalars(select(Expression).where(Expression.job_id == done["id"])).all()) == 3
        assert len(db.scalars(select(Clip).where(Clip.job_id == done["id"])).all()) == 3
    app.close()
    engine.dispose()


@pytest.mark.parametrize(
    ("video", "subtitle", "reason"),
    [
        (b"this is no film", None, "the video cannot be read"),
        (None, b"this is no subtitle", "the subtitle has no cue"),
        (None, b"1\n01:00:00,000 --> 01:00:02,000\nWake up!\n", "do not belong together"),
    ],
    ids=["video", "subtitle", "mismatch"],
)
def test_broken_input_fails_with_its_reason(
    api: httpx.Client,
    worker: subprocess.Popen[bytes],
    clip: Path,
    stack: Stack,
    video: bytes | None,
    subtitle: bytes | None,
    reason: str,
) -> None:
    """A job whose files cannot be used ends as FAILED, says why, and leaves no clip."""
    job = upload(api, video or clip.read_bytes(), subtitle or SUBTITLE.read_bytes())
    failed = ended(api, job["id"])
    assert failed["status"] == "FAILED"
    assert reason in failed["error"]
    assert (failed["film"] is None) == (reason != "do not belong together")
    assert str(stack.home) not in failed["error"]
    assert api.get(f"/api/v1/jobs/{job['id']}/clips").json() == {"clips": []}
    assert not (stack.settings.data_dir / "clips" / job["id"]).exists()


def test_a_job_of_a_dead_worker_is_rescued(
    api: httpx.Client, worker: subprocess.Popen[bytes], clip: Path, stack: Stack
) -> None:
    """A RUNNING job that no living worker holds is queued again; a held one is left alone."""
    settings = stack.settings
    engine = connect(settings.need_database())
    app = create(settings)
    job_id = upload(api, clip.read_bytes(), SUBTITLE.read_bytes())["id"]
    assert ended(api, job_id)["status"] == "DONE"
    with session(engine) as db:
        job = db.get(Job, job_id)
        assert job is not None
        job.status, job.ended_at = Status.RUNNING, None
    doors = work.Doors(engine, Storage(settings.data_dir), ffmpeg.program)
    with sole_worker_of(engine, job_id) as mine:
        assert mine
        assert work.rescue_jobs(doors, lambda job_id: send_job(app, job_id), set) == 0
    assert work.rescue_jobs(doors, lambda job_id: send_job(app, job_id), set) == 1
    assert ended(api, job_id)["status"] == "DONE"
    app.close()
    engine.dispose()


def test_jobs_are_listed_newest_first(api: httpx.Client, done: dict[str, Any]) -> None:
    """The list is in order of creation, newest first, and pages do not overlap."""
    first = api.get("/api/v1/jobs", params={"limit": 2}).json()
    rest = api.get("/api/v1/jobs", params={"limit": 200, "offset": 2}).json()
    jobs = first["jobs"] + rest["jobs"]
    assert len(first["jobs"]) == 2
    assert len({job["id"] for job in jobs}) == len(jobs) == first["total"] == rest["total"]
    times = [job["created_at"] for job in jobs]
    assert times == sorted(times, reverse=True)


def test_detailed_health_asks_everyone(api: httpx.Client, worker: subprocess.Popen[bytes]) -> None:
    """With everything up each check is ok, timed, and the revision is the newest."""
    answer = api.get("/health/detailed")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "ok"), body
    assert set(body["checks"]) == {"database", "redis", "workers", "storage"}
    assert all(check["ms"] >= 0 for check in body["checks"].values())
    revision = body["checks"]["database"]["revision"]
    assert revision["current"] == revision["head"]
    assert body["checks"]["workers"]["answered"] == [f"media@{socket.gethostname()}"]


def test_health_from_the_command_line(
    api: httpx.Client, worker: subprocess.Popen[bytes], stack: Stack
) -> None:
    """``langflix health`` prints each check; an address where nobody listens is exit 3."""
    asked = stack.run("health", "--url", stack.url, "--json")
    assert (asked.returncode, json.loads(asked.stdout)["status"]) == (0, "ok")
    nobody = stack.run("health", "--url", "http://127.0.0.1:1")
    assert nobody.returncode == 3
    assert "does not answer" in nobody.stderr
    assert "Traceback" not in nobody.stderr


def test_metrics_count_requests_jobs_and_queues(api: httpx.Client, done: dict[str, Any]) -> None:
    """Prometheus gets requests by route, jobs by status and the depth of each queue."""
    text = api.get("/metrics").text
    assert 'langflix_jobs{status="DONE"}' in text
    assert 'langflix_queue_depth{queue="media"} 0.0' in text
    assert 'route="/api/v1/jobs/{job_id}",status="200"' in text
    assert 'langflix_service_up{service="database"} 1.0' in text


def test_logs_are_json_and_hold_no_password(
    done: dict[str, Any], stack: Stack, api: httpx.Client
) -> None:
    """Every line of API and worker is JSON; the worker's lines name the job; no secret shows."""
    for role in ("api", "worker"):
        lines = [json.loads(line) for line in stack.log(role).splitlines()]
        assert lines, role
        assert not [word for word in ("r3dis", "päss", "p%C3%A4ss") if word in stack.log(role)]
    of_job = [json.loads(line) for line in stack.log("worker").splitlines() if done["id"] in line]
    assert any(line.get("event") == "job.done" and line["job_id"] == done["id"] for line in of_job)


def test_a_request_is_followed_into_the_worker(
    done: dict[str, Any], stack: Stack, api: httpx.Client
) -> None:
    """The id of the request that made a job is on the worker's lines about it."""
    accepted = [
        line
        for line in stack.log("api").splitlines()
        if "job.accepted" in line and done["id"] in line
    ]
    request = json.loads(accepted[0])["request_id"]
    told = [json.loads(line) for line in stack.log("worker").splitlines() if done["id"] in line]
    ends = [line for line in told if line.get("event") == "job.done"]
    assert request
    assert [line["request_id"] for line in ends] == [request]


def test_jobs_are_timed_and_failures_counted(
    done: dict[str, Any], api: httpx.Client, worker: subprocess.Popen[bytes]
) -> None:
    """Metrics have a histogram of job times by status, and a counter of failures."""
    bad = ended(api, upload(api, b"no film", SUBTITLE.read_bytes())["id"])
    assert bad["status"] == "FAILED"

    def value(name: str) -> float:
        lines = api.get("/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    wait_until(lambda: value("langflix_job_failures_total") >= 1, "the failure is counted")
    wait_until(lambda: value('langflix_job_seconds_count{status="DONE"}') >= 1, "the end is too")
    assert value('langflix_job_seconds_sum{status="DONE"}') > 0


def test_a_lesson_tells_what_expressions_mean(api: httpx.Client, done: dict[str, Any]) -> None:
    """The dictionary's definition is there, and found by a search."""
    rows = api.get(f"/api/v1/jobs/{done['id']}/expressions").json()["expressions"]
    means = {row["phrase"]: row["meaning"] for row in rows}
    assert means["face the music"] == "accept the unpleasant consequences of one's actions"
    query = {"q": "unpleasant consequences"}
    found = api.get("/api/v1/expressions", params=query).json()["expressions"]
    assert "face the music" in {row["phrase"] for row in found}
    assert set(rows[0]["score_parts"]) == {"level", "idiomatic", "words", "context"}


def test_the_stack_is_timed_while_its_worker_is_busy(
    stack: Stack, api: httpx.Client, done: dict[str, Any], clip: Path
) -> None:
    """``load`` asks steadily, tells times in order, and deletes the lessons that it made."""
    before = api.get("/api/v1/jobs").json()["total"]
    film = ["--video", str(clip), "--subtitle", str(SUBTITLE)]
    pace = ["--rate", "20", "--seconds", "3", "--jobs", "6", "--json"]
    ran = stack.run("load", "--url", stack.url, *film, *pace, timeout_s=240)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    told = json.loads(ran.stdout)
    assert (told["sent"], told["failed"]) == (60, 0)
    assert 0 < told["p50_ms"] <= told["p95_ms"] <= told["p99_ms"] <= told["most_ms"]
    assert api.get("/api/v1/jobs").json()["total"] == before


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--rate", "0", "--rate is a number from 1 to 500"),
        ("--seconds", "301", "--seconds is a number from 1 to 300"),
        ("--jobs", "101", "--jobs is a number from 1 to 100"),
        ("--video", "/nowhere.mp4", "there is no file /nowhere.mp4"),
    ],
)
def test_a_load_is_bounded(stack: Stack, clip: Path, flag: str, value: str, said: str) -> None:
    """Wishes that are none, or too large, end before anything is sent."""
    film = ["--video", str(clip), "--subtitle", str(SUBTITLE)]
    ran = stack.run("load", "--url", "http://127.0.0.1:9", *film, flag, value)
    assert (ran.returncode, said in ran.stderr) == (1, True), ran.stderr


def test_flower_wants_its_password(stack: Stack, worker: subprocess.Popen[bytes]) -> None:
    """Flower's pages need the password; its health check does not."""
    root = f"http://127.0.0.1:{stack.settings.flower_port}/flower"
    with stack.role("flower"):
        assert httpx.get(f"{root}/healthcheck").text == "OK"
        assert httpx.get(f"{root}/api/workers").status_code == 401
        assert httpx.get(f"{root}/workers", auth=("admin", "wrong")).status_code == 401
        shown = httpx.get(f"{root}/workers", auth=("admin", "fl0wer"))
        assert (shown.status_code, "Flower" in shown.text) == (200, True)


def test_beat_sends_the_periodic_tasks(stack: Stack, worker: subprocess.Popen[bytes]) -> None:
    """Beat is healthy by its own check and the worker runs what it sends."""
    schedule = stack.settings.run_dir / "beat-schedule"
    with stack.role("beat"):
        assert any(path.name.startswith(schedule.name) for path in schedule.parent.iterdir())
        assert stack.run("check", "beat").returncode == 0
    assert stack.run("check", "beat").returncode == 1


def test_a_worker_told_to_stop_finishes_its_job(
    stack: Stack, api: httpx.Client, clip: Path, worker: subprocess.Popen[bytes]
) -> None:
    """SIGTERM lets the running job end, then the worker leaves with exit 0 and no heartbeat."""
    environ = {**stack.environ, "LANGFLIX_RUN_DIR": str(stack.home / "second")}
    with Stack(environ, stack.home).role("worker") as second:
        ids = [upload(api, clip.read_bytes(), SUBTITLE.read_bytes())["id"] for _ in range(4)]
        wait_until(
            lambda: any(
                api.get(f"/api/v1/jobs/{one}").json()["status"] != "PENDING" for one in ids
            ),
            "a worker has begun",
        )
        second.terminate()
        assert second.wait(180) == 0, stack.log("worker")
        assert list((stack.home / "second").iterdir()) == []
    assert [ended(api, one)["status"] for one in ids] == ["DONE"] * 4
    assert worker.poll() is None
