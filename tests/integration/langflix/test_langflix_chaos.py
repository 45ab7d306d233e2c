"""Workers die at random; every job ends, once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from celery import Celery
from sqlalchemy import select
from tests.integration.langflix.conftest import ROOT, STOP_S, Stack, running, wait_until

from langflix.data import jobs
from langflix.data.engine import connect, session
from langflix.data.models import Clip, Expression, Job, Status
from langflix.media import ffmpeg
from langflix.media.storage import Storage
from langflix.queue import work
from langflix.queue.app import create, send_job, waiting_jobs

#: Jobs, and how many workers die meanwhile: as many as a house asks for in some weeks.
JOBS, KILLS = 120, 10
#: What each run has the time for.
FEW = 24, 3
#: One expression, so that a job is short and what is tested is the queue, not the encoder.
SHORT_SUBTITLE = ROOT / "deploy" / "smoke.srt"
WORKERS = 2
#: On a busy machine a job takes its time; this long without the end of one means a standstill.
STANDSTILL_S = 300.0
PHRASES = 1


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Give a film so small that cutting it costs next to nothing."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc=size=64x36:rate=5:duration=5"]
    argv = [str(ffmpeg.program()), "-v", "error", *picture, "-c:v", "libx264", "-y", str(path)]
    subprocess.run(argv, check=True, timeout=60)
    return path.read_bytes()


def add_job(doors: work.Doors, film: bytes) -> str:
    """Put a job's files and row there, as the API does, without a message."""
    job_id = str(uuid4())
    incoming = doors.storage.incoming()
    (incoming / "video.mp4").write_bytes(film)
    (incoming / "subtitle.srt").write_bytes(SHORT_SUBTITLE.read_bytes())
    doors.storage.keep(incoming, job_id)
    with session(doors.engine) as db:
        jobs.add(db, job_id, "tiny.mp4", "tiny.srt", len(film))
    return job_id


def open_jobs(doors: work.Doors) -> int:
    """Return how many jobs have not ended."""
    with session(doors.engine) as db:
        counts = jobs.count_by_status(db)
    return counts[Status.PENDING] + counts[Status.RUNNING]


class Workers:
    """Some workers, replaced when they are killed."""

    def __init__(self, stack: Stack, exits: ExitStack) -> None:
        self._stack = stack
        self._exits = exits
        self._count = 0
        self.killed = 0
        self.living = [self._start() for _ in range(WORKERS)]

    def _start(self) -> subprocess.Popen[bytes]:
        self._count += 1
        environ = {
            **self._stack.environ,
            "LANGFLIX_RUN_DIR": str(self._stack.home / f"run-{self._count}"),
            "LANGFLIX_QUEUES": "media",
        }
        log = self._stack.home / "worker.log"
        argv = [sys.executable, "-m", "langflix", "worker"]
        return self._exits.enter_context(running(argv, log, **environ))

    def kill_one(self, luck: random.Random) -> None:
        """Kill a worker with all its children, as the kernel or a power cut would."""
        at = luck.randrange(WORKERS)
        os.killpg(self.living[at].pid, signal.SIGKILL)
        self.living[at].wait(STOP_S)
        self.killed += 1
        self.living[at] = self._start()


@pytest.mark.parametrize(
    ("count", "kills"), [FEW, pytest.param(JOBS, KILLS, marks=pytest.mark.long)]
)
def test_killed_workers_lose_and_double_no_job(
    stack: Stack, tiny: bytes, count: int, kills: int
) -> None:
    """Of all jobs, with workers killed at random, each ends as DONE with its rows there once."""
    settings, luck = stack.settings, random.Random(7)
    app = create(settings)
    engine = connect(settings.need_database())
    doors = work.Doors(engine, Storage(settings.data_dir), ffmpeg.program)
    ids = [add_job(doors, tiny) for _ in range(count)]
    for job_id in ids[1:]:
        send_job(app, job_id)  # the first one's server died before it could

    with ExitStack() as exits:
        workers = Workers(stack, exits)
        wait_until(lambda: open_jobs(doors) < count, "the first job has ended")
        fewest, moved = count, time.monotonic()
        while (left := open_jobs(doors)) and time.monotonic() < moved + STANDSTILL_S:
            if left < fewest:
                fewest, moved = left, time.monotonic()
            if left > count // 4 and workers.killed < kills:
                before = left
                workers.kill_one(luck)
                wait_until(lambda before=before: open_jobs(doors) < before, "work goes on")  # type: ignore[misc]
            sweep(doors, app)
            time.sleep(0.2)
        assert workers.killed == kills
    assert_all_done_once(doors, ids, stack)
    app.close()
    engine.dispose()


def sweep(doors: work.Doors, app: Celery) -> None:
    """Do what beat has a worker do every minute."""
    work.rescue_jobs(doors, lambda one: send_job(app, one), lambda: waiting_jobs(app), timedelta(0))


def assert_all_done_once(doors: work.Doors, ids: list[str], stack: Stack) -> None:
    """Every job is DONE, has its rows once, a file for every clip, and nothing else lies there."""
    with session(doors.engine) as db:
        those = db.scalars(select(Job).where(Job.id.in_(ids)))
        states = {job.id: (job.status, job.error) for job in those}
        of_jobs = Expression.job_id.in_(ids)
        spoken = Counter(db.scalars(select(Expression.job_id).where(of_jobs)))
        rows = select(Clip.job_id, Clip.id, Clip.bytes).where(Clip.job_id.in_(ids))
        clips = list(db.execute(rows))
    assert states == dict.fromkeys(ids, (Status.DONE, None))
    assert spoken == dict.fromkeys(ids, PHRASES)
    files = {path: path.stat().st_size for path in doors.storage.clips.rglob("*.mp4")}
    wanted = {doors.storage.clip(job_id, clip_id): size for job_id, clip_id, size in clips}
    assert len(clips) == PHRASES * len(ids)
    assert {path: files.get(path) for path in wanted} == wanted
    log = stack.log("worker")
    ends = Counter(one for one in ids if log.count(f'"job_id": "{one}", "event": "job.done"') > 1)
    assert not ends


def test_jobs_without_a_message_are_found(stack: Stack, tiny: bytes) -> None:
    """A PENDING job that is in no queue is sent again; one that waits in the queue is not."""
    settings = stack.settings
    app = create(settings)
    engine = connect(settings.need_database())
    doors = work.Doors(engine, Storage(settings.data_dir), ffmpeg.program)
    lost, waiting = add_job(doors, tiny), add_job(doors, tiny)
    send_job(app, waiting)
    assert waiting_jobs(app) == {waiting}
    sent: list[str] = []
    work.rescue_jobs(doors, sent.append, lambda: waiting_jobs(app))
    assert sent == []  # too young to be called lost
    work.rescue_jobs(doors, sent.append, lambda: waiting_jobs(app), timedelta(0))
    assert sent == [lost]
    with session(engine) as db:
        jobs.remove(db, lost)
        jobs.remove(db, waiting)
    app.close()
    engine.dispose()


def test_a_worker_gives_a_long_job_back(stack: Stack, tiny: bytes, tmp_path: Path) -> None:
    """A worker that is told to stop, and whose job outlasts its time, ends and returns the job."""
    endless = tmp_path / "ffmpeg"
    endless.write_text("#!/bin/sh\nexec sleep 300\n")
    endless.chmod(0o755)
    environ = {
        **stack.environ,
        "LANGFLIX_RUN_DIR": str(tmp_path / "run"),
        "LANGFLIX_FFMPEG": str(endless),
        "LANGFLIX_STOP_WITHIN_S": "2",
    }
    slow = Stack(environ, tmp_path)
    app = create(stack.settings)
    engine = connect(stack.settings.need_database())
    doors = work.Doors(engine, Storage(stack.settings.data_dir), ffmpeg.program)
    with slow.role("worker") as process:
        job_id = add_job(doors, tiny)
        send_job(app, job_id)

        def status() -> str:
            with session(engine) as db:
                return db.get_one(Job, job_id).status

        wait_until(lambda: status() == Status.RUNNING, "the job runs")
        process.terminate()
        process.wait(STOP_S)
    assert waiting_jobs(app) == {job_id} or status() == Status.RUNNING
    with stack.role("worker"):
        sweep(doors, app)
        wait_until(lambda: status() == Status.DONE, "another worker does it")
    app.close()
    engine.dispose()
