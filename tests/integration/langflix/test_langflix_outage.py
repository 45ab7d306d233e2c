"""What LangFlix says and does when a service goes away or a file must go."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text
from tests.integration.langflix.conftest import (
    SUBTITLE,
    Postgres,
    Redis,
    Stack,
    free_port,
    new_stack,
    redis_server,
    running,
    wait_until,
)

from langflix.data import engine as engines
from langflix.data import jobs
from langflix.data.engine import connect, session
from langflix.data.models import Job, Status
from langflix.errors import UnavailableError
from langflix.media.storage import Storage
from langflix.queue import work

#: Longer than opening a connection may take.
BUSY_S = engines.CONNECT_TIMEOUT_S + 1
#: How many anyio lends for what is no coroutine.
THREADS = 40
FILES = {"video": ("a.mp4", b"film"), "subtitle": ("a.srt", SUBTITLE.read_bytes())}


@pytest.fixture
def engine(stack: Stack) -> Iterator[Engine]:
    """Give the tests' own connection to the stack's database."""
    engine = connect(stack.settings.need_database())
    yield engine
    engine.dispose()


def test_without_redis_an_upload_is_refused_whole(postgres: Postgres, tmp_path: Path) -> None:
    """Redis gone: alive but not ready, uploads get 503, and neither row nor file stays."""
    with redis_server(free_port()) as redis, new_stack(postgres, redis, tmp_path) as stack:
        with stack.role("api"), httpx.Client(base_url=stack.url, timeout=30) as client:
            redis.process.kill()
            redis.process.wait(120)
            assert client.get("/health").status_code == 200
            ready = client.get("/ready")
            assert (ready.status_code, ready.json()["checks"]["redis"]["status"]) == (503, "failed")
            refused = client.post("/api/v1/jobs", files=FILES)
            assert refused.status_code == 503, refused.text
            assert refused.headers["content-type"] == "application/problem+json"
            assert "queue" in refused.json()["detail"]
            assert client.get("/api/v1/jobs").json()["total"] == 0
            assert list((stack.settings.data_dir / "uploads").iterdir()) == []


def test_a_database_behind_the_release_is_not_ready(
    postgres: Postgres, redis: object, tmp_path: Path, stack: Stack, api: httpx.Client
) -> None:
    """Before the migration readiness fails and says which command helps."""
    taken = stack.run("migrate", "--to", "base")
    assert taken.returncode == 0, taken.stderr
    try:
        answer = api.get("/ready")
        assert answer.status_code == 503
        assert "langflix migrate" in answer.json()["checks"]["database"]["error"]
    finally:
        assert stack.run("migrate").returncode == 0
    assert api.get("/ready").status_code == 200


def test_no_worker_is_degraded(api: httpx.Client) -> None:
    """Without a worker jobs can be taken, so the answer is 200 and says degraded."""
    answer = api.get("/health/detailed")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def test_a_worker_for_light_work_alone_is_degraded(stack: Stack, api: httpx.Client) -> None:
    """Health looks for a worker that takes films; one for the light queue does not count."""
    environ = {**stack.environ, "LANGFLIX_QUEUES": "light"}
    argv = [sys.executable, "-m", "langflix", "worker"]
    beating = Path(stack.environ["LANGFLIX_RUN_DIR"]) / "light.heartbeat"
    with running(argv, stack.home / "light.log", **environ):
        wait_until(beating.exists, "the light worker works")
        assert api.get("/health/detailed").json()["checks"]["workers"]["status"] == "degraded"


def test_expired_uploads_go_with_their_rows(stack: Stack, engine: Engine) -> None:
    """Only uploads older than the time limit go; rows say so; unstarted jobs fail."""
    storage = Storage(stack.settings.data_dir)
    doors = work.Doors(engine, storage, lambda: Path("unused"))
    now = datetime.now(UTC)
    ids = {}
    for name, age_h, status in (
        ("old", 100, Status.DONE),
        ("waiting", 100, Status.PENDING),
        ("running", 100, Status.RUNNING),
        ("new", 1, Status.DONE),
    ):
        ids[name] = new_job(engine, storage, now - timedelta(hours=age_h), status)
    orphan = new_job(engine, storage, now, Status.DONE)
    with session(engine) as db:
        jobs.remove(db, orphan)

    work.remove_expired_uploads(doors, timedelta(hours=72), now)

    assert sorted(storage.uploaded_jobs()) == sorted([ids["running"], ids["new"], orphan])
    with session(engine) as db:
        rows = {name: db.get_one(Job, one) for name, one in ids.items()}
    assert [rows[name].upload_removed_at is not None for name in ids] == [True, True, False, False]
    assert rows["waiting"].status == Status.FAILED
    assert "expired" in (rows["waiting"].error or "")

    work.remove_expired_uploads(doors, timedelta(hours=72), now + timedelta(hours=7))
    assert sorted(storage.uploaded_jobs()) == sorted([ids["running"], ids["new"]])


def test_a_crash_between_row_and_files_heals(stack: Stack, engine: Engine) -> None:
    """Files of an upload that its row has given up are removed by the next run."""
    storage = Storage(stack.settings.data_dir)
    doors = work.Doors(engine, storage, lambda: Path("unused"))
    job_id = new_job(engine, storage, datetime.now(UTC), Status.DONE)
    with session(engine) as db:
        db.get_one(Job, job_id).upload_removed_at = datetime.now(UTC)
    work.remove_expired_uploads(doors, timedelta(hours=72))
    assert job_id not in storage.uploaded_jobs()


def test_a_lost_database_names_itself_without_its_password(stack: Stack) -> None:
    """Commands that need a database which is gone end with exit 3 and one sentence."""
    environ = {
        **stack.environ,
        "LANGFLIX_DATABASE_URL": f"postgresql+psycopg://langflix@127.0.0.1:{free_port()}/x",
    }
    told = Stack(environ, stack.home).run("migrate", "--plan")
    assert told.returncode == 3
    assert told.stderr.startswith("langflix: the database does not answer")
    assert "Traceback" not in told.stderr
    assert "päss" not in told.stderr


def test_whoever_finds_every_connection_in_use_waits(stack: Stack) -> None:
    """A busy moment that is longer than a connection may take to open refuses nobody."""
    engine = connect(stack.settings.need_database(), pool_size=1)

    def slow(_: int) -> object:
        with session(engine) as db:
            return db.execute(text("SELECT pg_sleep(:s)"), {"s": BUSY_S / 3}).scalar()

    try:
        with ThreadPoolExecutor(8) as at_once:
            assert list(at_once.map(slow, range(8))) == [""] * 8
    finally:
        engine.dispose()


def test_the_process_answers_while_every_thread_waits(
    postgres: Postgres, redis: Redis, tmp_path: Path
) -> None:
    """More requests than threads wait for a table, and who asks for life still hears of it."""
    with (
        new_stack(postgres, redis, tmp_path) as stack,
        stack.role("api") as process,
        ThreadPoolExecutor(THREADS + 20) as at_once,
    ):
        engine = connect(stack.settings.need_database())
        with engine.connect() as holder:
            holder.execute(text("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"))
            asked = [
                at_once.submit(httpx.get, f"{stack.url}/api/v1/jobs", timeout=120)
                for _ in range(THREADS + 20)
            ]
            tasks = Path(f"/proc/{process.pid}/task")
            wait_until(lambda: len(list(tasks.iterdir())) > THREADS, "every thread is lent")
            assert httpx.get(f"{stack.url}/health", timeout=30).status_code == 200
            assert not any(one.done() for one in asked)
        engine.dispose()
        assert {one.result().status_code for one in asked} == {200}


def test_a_wait_without_end_is_told_as_what_it_is(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that answers is not said to be away."""
    monkeypatch.setattr(engines, "POOL_TIMEOUT_S", 0.1)
    engine = connect(stack.settings.need_database(), pool_size=1)
    with session(engine) as one, session(engine) as other:
        assert [db.execute(text("SELECT 1")).scalar() for db in (one, other)] == [1, 1]
        with pytest.raises(UnavailableError) as told, session(engine) as third:
            third.execute(text("SELECT 1"))
    engine.dispose()
    assert str(told.value) == "all connections to the database were in use for 0.1 s"


def new_job(engine: Engine, storage: Storage, created: datetime, status: Status) -> str:
    """Make a job of a given age and status with files on the disk."""
    from uuid import uuid4

    job_id = str(uuid4())
    incoming = storage.incoming()
    (incoming / "video.mp4").write_bytes(b"film")
    (incoming / "subtitle.srt").write_bytes(b"text")
    storage.keep(incoming, job_id)
    with session(engine) as db:
        job = jobs.add(db, job_id, "a.mp4", "a.srt", 8)
        db.execute(
            text("UPDATE jobs SET created_at = :created, status = :status WHERE id = :id"),
            {"created": created, "status": status.value, "id": job.id},
        )
    return job_id
