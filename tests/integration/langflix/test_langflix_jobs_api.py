"""What the API does with jobs, on a real database and queue, without a worker.

Longer than other modules, because all of it asks one API and database that take a while to start.
"""

from __future__ import annotations

import itertools
import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.langflix.conftest import (
    SUBTITLE,
    Postgres,
    Redis,
    Stack,
    free_port,
    new_stack,
    wait_until,
)

from langflix.api.app import SHUTDOWN_S
from langflix.data import jobs
from langflix.data.engine import connect, session
from langflix.data.models import Job, Status
from langflix.media.storage import Storage
from langflix.queue import work

FILES = {"video": ("Night.Train.mp4", b"film"), "subtitle": ("a.srt", SUBTITLE.read_bytes())}
KEYS = (f"key-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def stack(
    postgres: Postgres, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Give a stack with a media share."""
    home = tmp_path_factory.mktemp("stack")
    share = home / "share"
    (share / "Serie").mkdir(parents=True)
    (share / "Serie" / "one.mp4").write_bytes(b"film")
    (share / "Serie" / "one.srt").write_bytes(SUBTITLE.read_bytes())
    (share / "Serie" / "note.txt").write_text("not for lessons")
    (share / ".hidden.mp4").write_bytes(b"film")
    (home / "secret.mp4").write_bytes(b"outside")
    (share / "escape.mp4").symlink_to(home / "secret.mp4")
    (share / "way-out").symlink_to(home)
    (share / "inside.mp4").symlink_to("Serie/one.mp4")
    with new_stack(postgres, redis, home) as made:
        made.environ["LANGFLIX_MEDIA_DIR"] = str(share)
        yield made


@pytest.fixture
def doors(stack: Stack) -> Iterator[work.Doors]:
    """Give what the worker's functions need."""
    engine = connect(stack.settings.need_database())
    yield work.Doors(engine, Storage(stack.settings.data_dir), lambda: Path("unused"))
    engine.dispose()


def create(api: httpx.Client, key: str | None = None, **wishes: str) -> httpx.Response:
    """Upload a job."""
    headers = {"Idempotency-Key": key} if key else {}
    return api.post("/api/v1/jobs", files=FILES, data=wishes, headers=headers)


def made(answer: httpx.Response) -> dict[str, Any]:
    """Return the job that an answer tells of."""
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


def set_status(doors: work.Doors, job_id: str, status: Status) -> None:
    """Put a job into a state, as a worker would."""
    with session(doors.engine) as db:
        db.get_one(Job, job_id).status = status


def test_a_job_keeps_its_owners_wishes(api: httpx.Client) -> None:
    """Title, level and language come back; what is not said has its default."""
    job = made(create(api, title=" Night\x00 Train ", level="C1", language="de"))
    assert (job["title"], job["level"], job["language"]) == ("Night Train", "C1", "de")
    usual = made(create(api))
    assert (usual["title"], usual["level"], usual["language"]) == ("Night.Train", "B1", "ko")
    assert (usual["source"], usual["status"]) == ("upload", "PENDING")


@pytest.mark.parametrize(
    "wishes", [{"level": "D1"}, {"language": "Korean!"}, {"title": "x" * 201}], ids=str
)
def test_wishes_that_cannot_be_are_refused(
    api: httpx.Client, stack: Stack, wishes: dict[str, str]
) -> None:
    """A wrong wish is 422 by its name, and nothing of the upload stays."""
    before = sorted((stack.settings.data_dir / "uploads").iterdir())
    answer = create(api, **wishes)
    assert answer.status_code == 422
    assert next(iter(wishes)) in answer.json()["detail"]
    assert sorted((stack.settings.data_dir / "uploads").iterdir()) == before


def test_the_same_key_makes_one_job(api: httpx.Client, stack: Stack) -> None:
    """A repeated request gives the first one's job; another request under its key is refused."""
    key = next(KEYS)
    first = create(api, key)
    again = create(api, key)
    assert made(again)["id"] == made(first)["id"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert create(api, key, level="A1").status_code == 422
    assert create(api, "not a key").status_code == 422
    uploads = {path.name for path in (stack.settings.data_dir / "uploads").iterdir()}
    rows = api.get("/api/v1/jobs", params={"limit": 200}).json()["jobs"]
    assert uploads == {job["id"] for job in rows}


def test_the_same_key_at_the_same_time_makes_one_job(api: httpx.Client) -> None:
    """Of many equal requests at once one makes the job and all are told of it."""
    key = next(KEYS)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: create(api, key), range(6)))
    assert len({made(answer)["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


def test_jobs_are_found_by_status_and_text(api: httpx.Client, doors: work.Doors) -> None:
    """Filters combine, ignore case, and take ``%`` and ``_`` as what they are."""
    wanted = made(create(api, title="Über 100% Liebe"))["id"]
    made(create(api, title="Über 100 Liebe"))

    def found(**params: str) -> list[str]:
        listed = api.get("/api/v1/jobs", params=params).json()
        assert listed["total"] == len(listed["jobs"])
        return [job["id"] for job in listed["jobs"]]

    assert found(q="100% liebe") == [wanted]
    assert found(q="100% liebe", status="DONE") == []
    set_status(doors, wanted, Status.DONE)
    assert found(q="100% liebe", status="DONE") == [wanted]
    assert api.get("/api/v1/jobs", params={"status": "LOST"}).status_code == 422


def test_a_waiting_job_is_cancelled_and_tried_again(api: httpx.Client) -> None:
    """Cancelling ends a PENDING job at once; a cancelled job can be retried; others cannot."""
    job_id = made(create(api))["id"]
    path = f"/api/v1/jobs/{job_id}"
    assert api.post(f"{path}/retry").status_code == 409
    cancelled = api.post(f"{path}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "FAILED")
    assert cancelled.json()["error"] == jobs.CANCELLED
    assert cancelled.json()["retryable"] is True
    assert api.post(f"{path}/cancel").status_code == 200
    again = api.post(f"{path}/retry")
    assert (again.status_code, again.json()["status"]) == (202, "PENDING")
    assert (again.json()["error"], again.json()["cancel_requested"]) == (None, False)


def test_a_running_job_is_asked_to_end(api: httpx.Client, doors: work.Doors) -> None:
    """A RUNNING job that is cancelled stays so until its worker hears of it, then it has failed."""
    job_id = made(create(api))["id"]
    set_status(doors, job_id, Status.RUNNING)
    asked = api.post(f"/api/v1/jobs/{job_id}/cancel").json()
    assert (asked["status"], asked["cancel_requested"]) == ("RUNNING", True)
    with session(doors.engine) as db:
        assert jobs.set_progress(db, job_id, 10) is False
        assert jobs.wanted(db, job_id) is False
        assert jobs.finish(db, job_id, []) is False
    work.process_job(doors, job_id)
    ended = api.get(f"/api/v1/jobs/{job_id}").json()
    assert (ended["status"], ended["error"]) == ("FAILED", jobs.CANCELLED)


def test_what_has_ended_well_is_not_cancelled(api: httpx.Client, doors: work.Doors) -> None:
    """A DONE job is 409 for cancel and retry, and a failed one whose upload went for retry."""
    job_id = made(create(api))["id"]
    set_status(doors, job_id, Status.DONE)
    for action in ("cancel", "retry"):
        assert api.post(f"/api/v1/jobs/{job_id}/{action}").status_code == 409
    with session(doors.engine) as db:
        row = db.get_one(Job, job_id)
        row.status, row.upload_removed_at = Status.FAILED, row.created_at
    refused = api.post(f"/api/v1/jobs/{job_id}/retry")
    assert (refused.status_code, "expired" in refused.json()["detail"]) == (409, True)


def test_a_deleted_job_takes_its_files_along(api: httpx.Client, stack: Stack) -> None:
    """After DELETE neither row nor file is there, and everything about it is 404."""
    job_id = made(create(api))["id"]
    clips = stack.settings.data_dir / "clips" / job_id
    clips.mkdir(parents=True)
    path = f"/api/v1/jobs/{job_id}"
    assert api.delete(path).status_code == 204
    assert not clips.exists()
    assert not (stack.settings.data_dir / "uploads" / job_id).exists()
    codes = [
        answer.status_code
        for answer in (
            api.get(path),
            api.delete(path),
            api.post(f"{path}/cancel"),
            api.post(f"{path}/retry"),
            api.get(f"{path}/clips"),
        )
    ]
    assert codes == [404] * 5


def test_files_of_a_half_done_delete_go_later(doors: work.Doors, api: httpx.Client) -> None:
    """When the server died after the row had gone, the clean-up removes uploads, clips, graves."""
    job_id = made(create(api))["id"]
    (doors.storage.clips / job_id).mkdir(parents=True)
    (doors.storage.clips / ".gone-abc").mkdir()
    with session(doors.engine) as db:
        jobs.remove(db, job_id)
    from datetime import UTC, datetime, timedelta

    ttl = timedelta(days=300)
    work.remove_expired_uploads(doors, ttl)
    assert job_id in doors.storage.uploaded_jobs()  # too young to be told from one that arrives
    work.remove_expired_uploads(doors, ttl, datetime.now(UTC) + timedelta(hours=7))
    assert job_id not in doors.storage.uploaded_jobs() + doors.storage.clipped_jobs()
    assert not list(doors.storage.clips.glob(".gone-*"))


def test_the_media_share_is_looked_around_in(api: httpx.Client) -> None:
    """Folders and usable files are listed; hidden ones, others and ways out are not."""
    top = api.get("/api/v1/media").json()
    assert [(one["name"], one["kind"]) for one in top["entries"]] == [
        ("Serie", "folder"),
        ("inside.mp4", "video"),
    ]
    below = api.get("/api/v1/media", params={"path": "Serie"}).json()["entries"]
    assert [(one["path"], one["kind"], one["bytes"] > 0) for one in below] == [
        ("Serie/one.mp4", "video", True),
        ("Serie/one.srt", "subtitle", True),
    ]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("..", 422),
        ("Serie/../..", 422),
        ("/etc", 422),
        ("way-out", 422),
        ("way-out/data", 422),
        ("nowhere", 404),
        ("Serie/one.mp4", 404),
        ("a\x00b", 422),
        ("x" * 1000, 404),
        ("%2e%2e", 404),
    ],
)
def test_nothing_outside_the_share_is_listed(api: httpx.Client, path: str, status: int) -> None:
    """No path leads out of the share, and none to a trace of what lies there."""
    answer = api.get("/api/v1/media", params={"path": path})
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )


@pytest.mark.parametrize(
    ("video", "status"),
    [
        ("Serie/one.mp4", 202),
        ("inside.mp4", 202),
        ("escape.mp4", 422),
        ("../secret.mp4", 422),
        ("way-out/secret.mp4", 422),
        ("Serie/two.mp4", 404),
        ("Serie/note.txt", 422),
    ],
)
def test_a_job_is_made_of_the_share(api: httpx.Client, video: str, status: int) -> None:
    """Films on the share become jobs without being copied; films outside never do."""
    body = {"video": video, "subtitle": "Serie/one.srt", "title": "From the share"}
    answer = api.post("/api/v1/media/jobs", json=body)
    assert answer.status_code == status, answer.text
    if status == 202:
        job = answer.json()
        assert (job["source"], job["title"]) == ("media", "From the share")
        assert api.get(answer.headers["location"]).json()["id"] == job["id"]


def test_expressions_are_searched(api: httpx.Client) -> None:
    """An empty library answers with an empty page, a wrong level with a problem."""
    found = api.get("/api/v1/expressions", params={"q": "wake"}).json()
    assert (found["expressions"], found["total"]) == ([], 0)
    assert api.get("/api/v1/expressions", params={"level": "Z9"}).status_code == 422


class Events:
    """Reads a stream of events in a thread."""

    def __init__(self, url: str) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(url,), daemon=True)
        self._thread.start()

    def _read(self, url: str) -> None:
        name = ""
        with httpx.stream("GET", f"{url}/api/v1/events", timeout=60) as answer:
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.seen.append((name, json.loads(line.removeprefix("data: "))))
        self.ended.set()

    def has(self, name: str, **members: object) -> bool:
        """Say whether such an event came."""
        return any(
            kind == name and members.items() <= data.items() for kind, data in list(self.seen)
        )


def test_changes_of_jobs_are_told_as_they_happen(
    stack: Stack, api: httpx.Client, doors: work.Doors
) -> None:
    """A listener hears of a job's making, progress and deletion, whoever caused them."""
    events = Events(stack.url)
    wait_until(lambda: events.has("reset"), "the stream is open")
    job_id = made(create(api))["id"]
    wait_until(lambda: events.has("job", id=job_id, status="PENDING"), "the job is told")
    set_status(doors, job_id, Status.RUNNING)
    with session(doors.engine) as db:
        jobs.set_progress(db, job_id, 42)
    wait_until(lambda: events.has("job", id=job_id, progress=42), "its progress is told")
    api.delete(f"/api/v1/jobs/{job_id}")
    wait_until(lambda: events.has("removed", id=job_id), "its end is told")


def test_listeners_outlive_the_databases_connection(
    stack: Stack, api: httpx.Client, doors: work.Doors
) -> None:
    """When the listening connection breaks, listeners are told to ask again, and hear on."""
    events = Events(stack.url)
    wait_until(lambda: events.has("reset"), "the stream is open")
    with doors.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'langflix events' AND datname = current_database()"
        )
    wait_until(lambda: sum(kind == "reset" for kind, _ in events.seen) > 1, "it is open again")
    job_id = made(create(api))["id"]
    wait_until(lambda: events.has("job", id=job_id), "the job is told")


def test_a_server_that_stops_does_not_wait_for_listeners(stack: Stack, redis: Redis) -> None:
    """An API with an open stream ends soon after SIGTERM, and the stream ends whole."""
    environ = {**stack.environ, "LANGFLIX_PORT": str(free_port())}
    second = Stack(environ, stack.home)
    with second.role("api") as process:
        events = Events(second.url)
        wait_until(lambda: events.has("reset"), "the stream is open")
        process.terminate()
        assert process.wait(SHUTDOWN_S - 10) in (0, -signal.SIGTERM)
        assert events.ended.wait(60)


def test_the_smoke_job_shows_the_token(stack: Stack, tmp_path: Path) -> None:
    """``smoke`` sends the token that its environment names: what refuses it is the bad film."""
    (tmp_path / "token").write_text("t0ken-t0ken\n")
    (tmp_path / "film.exe").write_bytes(b"no film")
    environ = {
        **stack.environ,
        "LANGFLIX_PORT": str(free_port()),
        "LANGFLIX_API_TOKEN_FILE": str(tmp_path / "token"),
    }
    second = Stack(environ, stack.home)
    film = ["--video", str(tmp_path / "film.exe"), "--subtitle", str(SUBTITLE)]
    with second.role("api"):
        told = second.run("smoke", "--url", second.url, *film)
        assert "gave 422" in told.stderr
        environ["LANGFLIX_API_TOKEN_FILE"] = ""
        told = Stack(environ, stack.home).run("smoke", "--url", second.url, *film)
        assert "gave 401" in told.stderr


def test_a_token_is_asked_for_when_there_is_one(stack: Stack, tmp_path: Path) -> None:
    """With a token file every route of v1 wants the token or the cookie got for it."""
    (tmp_path / "token").write_text("t0ken-t0ken\n")
    environ = {
        **stack.environ,
        "LANGFLIX_PORT": str(free_port()),
        "LANGFLIX_API_TOKEN_FILE": str(tmp_path / "token"),
    }
    second = Stack(environ, stack.home)
    with second.role("api"), httpx.Client(base_url=second.url, timeout=30) as client:
        right = {"Authorization": "Bearer t0ken-t0ken"}
        paths = client.get("/api/openapi.json", headers=right).json()["paths"]
        for path in paths:
            if path.startswith("/api/v1/") and path != "/api/v1/session":
                for method in paths[path]:
                    filled = path.replace("{job_id}", "x").replace("{clip_id}", "x")
                    answer = client.request(method, filled)
                    assert answer.status_code == 401, (method, path)
                    assert answer.headers["www-authenticate"] == "Bearer"
        assert client.get("/health").status_code == 200
        assert client.get("/api/v1/session").json()["allowed"] is False
        wrong = {"Authorization": "Bearer wrong"}
        for path in ("/api/v1/jobs", "/api/v1/session", "/ready"):
            assert client.get(path, headers=wrong).status_code == 401
        assert client.get("/api/v1/jobs", headers=right).status_code == 200
        assert client.post("/api/v1/session", json={"token": "no"}).status_code == 401
        login = client.post("/api/v1/session", json={"token": "t0ken-t0ken"})
        cookie = login.headers["set-cookie"].lower()
        assert login.status_code == 204
        assert "httponly" in cookie and "samesite=strict" in cookie and "t0ken" not in cookie
        assert client.get("/api/v1/jobs").status_code == 200
        assert client.get("/api/v1/session").json()["allowed"] is True
    assert "t0ken" not in stack.log("api")
