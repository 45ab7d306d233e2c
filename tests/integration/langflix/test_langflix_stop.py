"""What ends, and how, when a container of LangFlix is stopped while another stands beside it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import update
from tests.integration.langflix.conftest import (
    FLOWER_PASSWORD,
    ROOT,
    STOP_S,
    SUBTITLE,
    Stack,
    running,
    wait_until,
)

from langflix.data import jobs
from langflix.data.engine import connect, session
from langflix.data.models import Job, Status
from langflix.media import ffmpeg
from langflix.media.storage import Storage
from langflix.queue import work
from langflix.queue.app import create, send_job
from langflix.settings import MEDIA_QUEUE

#: More than all buffers between the API and a client that does not read.
FILM_BYTES = 64 * 2**20


@pytest.fixture
def doors(stack: Stack) -> Iterator[work.Doors]:
    """Give the stack's database and storage."""
    engine = connect(stack.settings.need_database())
    yield work.Doors(engine, Storage(stack.settings.data_dir), ffmpeg.program)
    engine.dispose()


def asking(port: int) -> closing[HTTPConnection]:
    """Give a connection for the block."""
    return closing(HTTPConnection("127.0.0.1", port, timeout=STOP_S))


def listens(port: int) -> bool:
    """Say whether somebody takes connections."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def stop_listening(process: subprocess.Popen[bytes], port: int) -> None:
    """Tell a server to stop, and wait until it takes no more connections."""
    process.terminate()
    wait_until(lambda: not listens(port), "the port is closed")
    assert process.poll() is None


def lesson_of(doors: work.Doors, size: int) -> str:
    """Make a job that is DONE with a lesson's video of some size; return its id."""
    job_id = str(uuid4())
    path = doors.storage.lesson(job_id)
    path.parent.mkdir(parents=True)
    with path.open("wb") as film:
        film.truncate(size)
    with session(doors.engine) as db:
        jobs.add(db, job_id, "film.mp4", "film.srt", size)
        db.execute(update(Job).where(Job.id == job_id).values(status=Status.DONE))
    return job_id


@pytest.mark.parametrize("first", [0, 1000])
def test_a_download_that_runs_ends_whole(stack: Stack, doors: work.Doors, first: int) -> None:
    """An API that is told to stop sends what it began to send, a range too, and then ends."""
    path = f"/api/v1/jobs/{lesson_of(doors, FILM_BYTES)}/videos/lesson/file"
    with stack.role("api") as process, asking(stack.settings.port) as client:
        client.request("GET", path, headers={"Range": f"bytes={first}-"} if first else {})
        with closing(client.getresponse()) as answer:
            assert answer.status == (206 if first else 200)
            stop_listening(process, stack.settings.port)
            assert len(answer.read()) == FILM_BYTES - first
        assert process.wait(STOP_S) in (0, -signal.SIGTERM)


def test_an_upload_that_runs_becomes_a_job(stack: Stack, doors: work.Doors) -> None:
    """An API that is told to stop takes the rest of a film that is on its way."""
    edge = b"--edge\r\nContent-Disposition: form-data; name="
    parts = [
        edge
        + b'"video"; filename="a.mp4"\r\n\r\n'
        + b"film" * 1_000_000,  # more than is gathered before it is written
        b"\r\n" + edge + b'"subtitle"; filename="a.srt"\r\n\r\n' + SUBTITLE.read_bytes(),
        b"\r\n--edge--\r\n",
    ]
    films = set(stack.settings.data_dir.rglob("*.mp4"))  # other tests' are there, too
    with stack.role("api") as process, asking(stack.settings.port) as client:
        client.putrequest("POST", "/api/v1/jobs")
        client.putheader("Content-Type", "multipart/form-data; boundary=edge")
        client.putheader("Content-Length", str(sum(map(len, parts))))
        client.endheaders(parts[0])
        wait_until(
            lambda: any(
                path.stat().st_size for path in set(stack.settings.data_dir.rglob("*.mp4")) - films
            ),
            "the upload arrives",
        )
        stop_listening(process, stack.settings.port)
        for part in parts[1:]:
            client.send(part)
        with closing(client.getresponse()) as answer:
            assert answer.status == 202
        assert process.wait(STOP_S) in (0, -signal.SIGTERM)


def test_flower_answers_what_it_was_asked(stack: Stack) -> None:
    """Flower that is told to stop takes no new connection, and ends in order."""
    with stack.role("flower") as process, asking(stack.settings.flower_port) as client:
        client.request("GET", "/flower/healthcheck")
        with closing(client.getresponse()) as answer:
            assert (answer.status, answer.read()) == (200, b"OK")
        process.terminate()
        assert process.wait(STOP_S) == 0
    assert "Traceback" not in stack.log("flower")
    assert FLOWER_PASSWORD not in stack.log("flower")


@contextmanager
def worker(stack: Stack, number: int, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker as a container of its own would: with its own folder for what it writes."""
    own = {**stack.environ, "LANGFLIX_RUN_DIR": str(stack.home / f"run-{number}"), **environ}
    argv = [sys.executable, "-m", "langflix", "worker"]
    with running(argv, stack.home / f"worker-{number}.log", **own) as process:
        beat = stack.home / f"run-{number}" / "worker.heartbeat"
        wait_until(beat.exists, f"worker {number} takes jobs")
        yield process


def add_job(doors: work.Doors) -> str:
    """Put a job's files and row there, as the API does, without a message."""
    job_id, incoming = str(uuid4()), doors.storage.incoming()
    picture = ["-f", "lavfi", "-i", "testsrc=size=64x36:rate=5:duration=5", "-c:v", "libx264"]
    film = str(incoming / "video.mp4")
    argv = [str(ffmpeg.program()), "-v", "error", *picture, "-y", film]
    subprocess.run(argv, check=True, timeout=60)
    (incoming / "subtitle.srt").write_bytes((ROOT / "deploy" / "smoke.srt").read_bytes())
    doors.storage.keep(incoming, job_id)
    with session(doors.engine) as db:
        size = doors.storage.upload(job_id).video.stat().st_size
        jobs.add(db, job_id, "tiny.mp4", "tiny.srt", size)
    return job_id


def test_the_next_worker_does_what_the_last_gives_back(
    stack: Stack, doors: work.Doors, tmp_path: Path
) -> None:
    """A job that outlasts its worker's time to stop is done, once, by the one beside it.

    Nobody sweeps for lost jobs here: the message itself gets there.
    """
    endless = tmp_path / "ffmpeg"
    endless.write_text("#!/bin/sh\nexec sleep 300\n")
    endless.chmod(0o755)
    app = create(stack.settings)
    with app.connection_for_write() as connection:  # what other tests had queued
        connection.default_channel.queue_purge(MEDIA_QUEUE)

    def status(job_id: str) -> str:
        with session(doors.engine) as db:
            return db.get_one(Job, job_id).status

    with worker(stack, 1, LANGFLIX_FFMPEG=str(endless)) as older:
        given_back = add_job(doors)
        send_job(app, given_back)
        wait_until(lambda: status(given_back) == Status.RUNNING, "the job runs")
        with worker(stack, 2):
            older.terminate()
            after = add_job(doors)
            send_job(app, after)
            wait_until(lambda: status(after) == Status.DONE, "the newer one takes what comes")
            assert status(given_back) == Status.RUNNING
            older.send_signal(signal.SIGQUIT)  # as it does to itself when its time is over
            wait_until(lambda: status(given_back) == Status.DONE, "it takes what is given back")
            older.wait(STOP_S)
            assert not list((stack.home / "run-1").iterdir())
    log = (stack.home / "worker-2.log").read_text("utf-8")
    assert log.count(f'"job_id": "{given_back}", "event": "job.done"') == 1
    assert '"event": "job.done"' not in (stack.home / "worker-1.log").read_text("utf-8")
    app.close()
