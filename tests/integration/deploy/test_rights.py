"""LangFlix at work with the rights that the images give it: real programs, each as itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.databases import APP, OWNER, answer, make_database_room, start, stop
from tests.integration.deploy.rooms import ROOT, Room, wait_for
from tests.integration.deploy.test_redis import START, make_queue_room

from langflix.media import ffmpeg

ROLES = ("api", "worker", "beat", "flower")
PAGES = ("workers?refresh=1", "tasks", "broker", "api/workers?refresh=1", "api/queues/length")
AS_OWNER = {
    "LANGFLIX_DATABASE_URL": "postgresql+psycopg://langflix@127.0.0.1:5432/langflix",
    "LANGFLIX_DATABASE_PASSWORD_FILE": "owner",
}
AS_APP = {
    "LANGFLIX_DATABASE_URL": "postgresql+psycopg://127.0.0.1:5432/langflix",
    "LANGFLIX_DATABASE_LOGIN_FILE": "app",
}


@dataclass(slots=True)
class Works:
    """Database and queue in one house, and LangFlix's programs, which know their own logins."""

    database: Room
    queue: Room
    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environ(self, role: str, logins: dict[str, str]) -> dict[str, str]:
        """What a role is told: files are named relative to the folder."""
        queue = {
            "LANGFLIX_REDIS_URL": f"redis://{role}@127.0.0.1:6379/0",
            "LANGFLIX_REDIS_PASSWORD_FILE": f"redis_{role}",
        }
        files = {
            **logins,
            **(queue if role in ROLES else {}),
            "LANGFLIX_FLOWER_PASSWORD_FILE": "flower",
        }
        return {
            **os.environ,
            **{n: str(self.folder / v) if n.endswith("_FILE") else v for n, v in files.items()},
            "PYTHONPATH": str(ROOT / "src"),
            "LANGFLIX_DATA_DIR": str(self.folder / "data"),
            "LANGFLIX_MEDIA_DIR": str(self.folder / "media"),
            "LANGFLIX_RUN_DIR": str(self.folder / "run"),
            "LANGFLIX_SCAN_MINUTES": "1",
            "LANGFLIX_CONCURRENCY": "1",
        }

    def run(self, *arguments: str, logins: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run one command of LangFlix to its end."""
        with self.database.house.entered():
            return subprocess.run(
                [sys.executable, "-m", "langflix", *arguments],
                env=self.environ("cli", logins), capture_output=True, text=True, timeout=120,
            )  # fmt: skip

    def begin(self, role: str) -> None:
        """Run a role, and wait until its own health check is content."""
        logins = AS_APP if role in ("api", "worker") else {}
        with self.database.house.entered(), (self.folder / f"{role}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "langflix", role], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self.environ(role, logins), start_new_session=True,
            )  # fmt: skip
        self.running.append(process)

        def healthy() -> bool:
            assert process.poll() is None, self.log(role)
            return self.run("check", role, logins={}).returncode == 0

        wait_for(healthy, f"{role} to be healthy", seconds=180)

    def log(self, role: str) -> str:
        """What a role has said."""
        return (self.folder / f"{role}.log").read_text()

    def ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        """One request, from within the house."""
        with self.database.house.entered():
            return httpx.request(method, url, timeout=60, **more).raise_for_status()

    def end(self) -> None:
        """End all that was begun."""
        for process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)


@pytest.fixture
def works(make_room: MakeRoom, acl: Path, tmp_path: Path) -> Iterator[Works]:
    """Database and queue as their images start them, migrated by the owner."""
    database, queue = make_database_room(make_room), make_queue_room(make_room, acl)
    start(database)
    queue.start(START)
    made = Works(database, queue, tmp_path / "works")
    (made.folder / "media").mkdir(parents=True)
    for name in ROLES:
        (made.folder / f"redis_{name}").write_text(f"canary-{name}\n")
    (made.folder / "owner").write_text(OWNER.password)
    (made.folder / "app").write_text(f"{APP.user}:{APP.password}")
    (made.folder / "flower").write_text("fl0wer")
    done = made.run("migrate", "--json", logins=AS_OWNER)
    assert done.returncode == 0, done.stderr
    yield made
    made.end()


def _film(folder: Path) -> bytes:
    """Five seconds with sound."""
    path = folder / "film.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=12:duration=5"]
    sound = ["-f", "lavfi", "-i", "sine=frequency=440:duration=5"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    argv = [str(ffmpeg.program()), "-v", "error", *picture, *sound, *coding, "-y", str(path)]
    subprocess.run(argv, check=True, timeout=120)
    return path.read_bytes()


def _lesson(works: Works, film: bytes) -> str:
    """How a job ends."""
    subtitle = (ROOT / "tests/data/bigbuckbunny.srt").read_bytes()
    files = {"video": ("a.mp4", film), "subtitle": ("a.srt", subtitle)}
    jobs = "http://127.0.0.1:8000/api/v1/jobs"
    job = works.ask("POST", jobs, files=files).json()["id"]

    def over() -> str:
        status = str(works.ask("GET", f"{jobs}/{job}").json()["status"])
        return status if status in ("DONE", "FAILED") else ""

    return wait_for(over, "the job to end", seconds=180)


def _refusals(works: Works) -> list[str]:
    """What Redis says that it refused since it began."""
    with works.database.house.entered():
        admin: Any = redis.Redis(username="admin", password="canary-admin", decode_responses=True)
        entries = admin.execute_command("ACL LOG")
        admin.close()
    return [str(one) for one in entries]


def test_everybody_has_the_rights_that_the_work_takes(works: Works, tmp_path: Path) -> None:
    """A lesson, housekeeping, Flower's pages and control: neither server has refused a thing."""
    for role in ROLES:
        works.begin(role)
    film = _film(tmp_path)
    assert _lesson(works, film) == "DONE"
    assert _lesson(works, b"no film") == "FAILED"
    health = works.ask("GET", "http://127.0.0.1:8000/health/detailed").json()
    assert {one["status"] for one in health["checks"].values()} <= {"ok", "degraded"}
    assert "error" not in health["checks"]["workers"]
    metrics = works.ask("GET", "http://127.0.0.1:8000/metrics").text
    assert 'langflix_service_up{service="redis"} 1' in metrics
    assert 'langflix_job_seconds_count{status="DONE"} 1' in metrics
    flower = {"auth": ("admin", "fl0wer")}
    for page in PAGES:
        works.ask("GET", f"http://127.0.0.1:5555/flower/{page}", **flower)
    known = works.ask("GET", "http://127.0.0.1:5555/flower/api/workers", **flower).json()
    (name,) = (one for one in known if one.startswith("media@"))
    for control in (f"pool/grow/{name}?n=1", f"queue/add-consumer/{name}?queue=light"):
        works.ask("POST", f"http://127.0.0.1:5555/flower/api/worker/{control}", **flower)
    log = works.database.log.read_text()
    assert "permission denied" not in log
    assert "no pg_hba.conf entry" not in log
    assert _refusals(works) == []


def test_what_is_overdue_is_left_to_workers(works: Works) -> None:
    """Flower looks for it, as every consumer does, may not put it back, and lives on."""
    works.begin("flower")
    with works.database.house.entered():
        admin: Any = redis.Redis(username="admin", password="canary-admin", decode_responses=True)
        admin.zadd("unacked_index", {"overdue": 1})

    def refused() -> bool:
        return any("'flower'" in one and "'watch'" in one for one in _refusals(works))

    wait_for(refused, "Flower to find what is overdue", seconds=180)
    assert works.run("check", "flower", logins={}).returncode == 0
    assert admin.zscore("unacked_index", "overdue") == 1
    works.begin("worker")
    wait_for(lambda: admin.zcard("unacked_index") == 0, "the worker to have it", seconds=180)
    flower = {"auth": ("admin", "fl0wer")}
    known = works.ask("GET", "http://127.0.0.1:5555/flower/api/workers?refresh=1", **flower)
    assert any(one.startswith("media@") for one in known.json())
    admin.close()


def test_the_migrations_give_what_the_image_gives(works: Works) -> None:
    """Rights on every table are the same after a start of the server as after a migration."""
    query = (
        "select string_agg(relname || coalesce(relacl::text, ''), ' ' order by relname) "
        "from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'S')"
    )
    before = answer(works.database, OWNER, query)
    assert "alembic_version{langflix_owner=arwdDxtm/langflix_owner,langflix_app=r/" in before
    (server,) = (one for one in works.database.started if one.poll() is None)
    stop(works.database, server)
    start(works.database)
    assert answer(works.database, OWNER, query) == before
    code = works.run("migrate", "--json", logins={**AS_OWNER}).returncode
    assert (code, answer(works.database, OWNER, query)) == (0, before)
    refused = works.run("migrate", "--to", "base", logins=AS_APP)
    assert refused.returncode != 0
    assert "must be owner of table" in refused.stderr
