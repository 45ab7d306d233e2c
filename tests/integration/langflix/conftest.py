"""Real PostgreSQL, Redis and LangFlix processes, started and stopped by the tests."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from langflix.settings import Endpoint, Settings

ROOT = Path(__file__).resolve().parents[3]
SUBTITLE = ROOT / "tests" / "data" / "bigbuckbunny.srt"
START_S = 180
STOP_S = 120
DATABASE_PASSWORD = "päss:w@rd/%"
REDIS_PASSWORD = "r3dis"
FLOWER_PASSWORD = "fl0wer"


def wait_until(true: Callable[[], bool], what: str, timeout_s: float = START_S) -> None:
    """Poll until ``true()``; fail with ``what`` was awaited after ``timeout_s`` seconds."""
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {timeout_s} s in vain: {what}")
        time.sleep(0.05)


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    argv: list[str], log: Path, user: str | None = None, **environ: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for the block with its output in ``log``; end it and its children."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
            env={**os.environ, **environ},
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(STOP_S)


def unprivileged() -> str | None:
    """Return the user for servers that refuse root; None when we are not root."""
    return None if os.geteuid() != 0 else "nobody"


@dataclass(frozen=True)
class Postgres:
    """A running server whose superuser is ``langflix``."""

    port: int
    password_file: Path
    _count: Iterator[int] = field(default_factory=itertools.count)

    def new_database(self) -> Endpoint:
        """Make an empty database and return where it is."""
        name = f"test_{next(self._count)}"
        dsn = f"host=127.0.0.1 port={self.port} user=langflix dbname=postgres"
        with psycopg.connect(dsn, password=DATABASE_PASSWORD, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        url = f"postgresql+psycopg://langflix@127.0.0.1:{self.port}/{name}"
        environ = {
            "LANGFLIX_DATABASE_URL": url,
            "LANGFLIX_DATABASE_PASSWORD_FILE": str(self.password_file),
        }
        return Settings.from_env(environ).need_database()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start a PostgreSQL that all tests of a process share."""
    with postgres_server() as server:
        yield server


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Start PostgreSQL from the system's package in a directory of its own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert found, "PostgreSQL is not installed: apt-get install postgresql"
    user, port = unprivileged(), free_port()
    home = Path(tempfile.mkdtemp(prefix="langflix-pg-"))
    try:
        password_file = home / "password"
        password_file.write_text(DATABASE_PASSWORD + "\n", "utf-8")
        if user:
            shutil.chown(home, user)
            shutil.chown(password_file, user)
        data = home / "data"
        initdb = [f"{found[-1]}/initdb", "-D", str(data), "-U", "langflix", "-A", "scram-sha-256"]
        options = ["--pwfile", str(password_file), "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        with running([*initdb, *options], home / "log", user) as made:
            assert made.wait(START_S) == 0, (home / "log").read_text()
        server = [f"{found[-1]}/postgres", "-D", str(data), "-p", str(port), "-k", str(home)]
        fast = ["-h", "127.0.0.1", "-c", "fsync=off", "-c", "full_page_writes=off"]
        with running([*server, *fast], home / "log", user) as process:
            dsn = f"host=127.0.0.1 port={port} user=langflix dbname=postgres connect_timeout=2"

            def answers() -> bool:
                assert process.poll() is None, (home / "log").read_text()
                with suppress(psycopg.OperationalError):
                    psycopg.connect(dsn, password=DATABASE_PASSWORD).close()
                    return True
                return False

            wait_until(answers, "PostgreSQL answers")
            yield Postgres(port, password_file)
            process.send_signal(signal.SIGINT)  # fast shutdown: does not wait for clients
            process.wait(STOP_S)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@dataclass(frozen=True)
class Redis:
    """A running server."""

    port: int
    password_file: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Return where it is, without its password."""
        return f"redis://127.0.0.1:{self.port}/0"


@contextmanager
def redis_server(port: int) -> Iterator[Redis]:
    """Start Redis from the system's package, which keeps nothing on the disk."""
    program = shutil.which("redis-server")
    assert program, "Redis is not installed: apt-get install redis-server"
    home = Path(tempfile.mkdtemp(prefix="langflix-redis-"))
    try:
        (home / "password").write_text(REDIS_PASSWORD, "utf-8")
        (home / "redis.conf").write_text(
            f'port {port}\nbind 127.0.0.1\nrequirepass "{REDIS_PASSWORD}"\n'
            f'save ""\nappendonly no\ndir {home}\n',
            "utf-8",
        )
        with running([program, str(home / "redis.conf")], home / "log") as process:

            def answers() -> bool:
                assert process.poll() is None, (home / "log").read_text()
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    return True
                return False

            wait_until(answers, "Redis answers")
            yield Redis(port, home / "password", process)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    """Start a Redis that the module's tests share."""
    with redis_server(free_port()) as server:
        yield server


@dataclass(frozen=True)
class Stack:
    """Everything that LangFlix's processes are told, and ways to start them."""

    environ: dict[str, str]
    home: Path

    @property
    def settings(self) -> Settings:
        """Return what the environment says."""
        return Settings.from_env(self.environ)

    @property
    def url(self) -> str:
        """Return where the API is, once it runs."""
        return f"http://127.0.0.1:{self.settings.port}"

    def log(self, role: str) -> str:
        """Return what a role has written so far."""
        path = self.home / f"{role}.log"
        return path.read_text("utf-8") if path.exists() else ""

    def run(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run one command of LangFlix to its end."""
        return subprocess.run(
            [sys.executable, "-m", "langflix", *arguments],
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one command of LangFlix, whose words nobody reads."""
        return subprocess.Popen(
            [sys.executable, "-m", "langflix", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self.environ},
        )

    @contextmanager
    def role(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a role for the block, once its own health check is content."""
        argv = [sys.executable, "-m", "langflix", name]
        with running(argv, self.home / f"{name}.log", **self.environ) as process:

            def healthy() -> bool:
                assert process.poll() is None, self.log(name)
                return self.run("check", name).returncode == 0

            wait_until(healthy, f"{name} is healthy")
            yield process


@contextmanager
def new_stack(postgres: Postgres, redis: Redis, home: Path) -> Iterator[Stack]:
    """Make a migrated database, an empty data directory and the environment for both."""
    (home / "flower-password").write_text(FLOWER_PASSWORD + "\n", "utf-8")
    stack = Stack(
        {
            "PYTHONPATH": str(ROOT / "src"),
            "LANGFLIX_DATABASE_URL": postgres.new_database().url,
            "LANGFLIX_DATABASE_PASSWORD_FILE": str(postgres.password_file),
            "LANGFLIX_REDIS_URL": redis.url,
            "LANGFLIX_REDIS_PASSWORD_FILE": str(redis.password_file),
            "LANGFLIX_FLOWER_PASSWORD_FILE": str(home / "flower-password"),
            "LANGFLIX_DATA_DIR": str(home / "data"),
            "LANGFLIX_RUN_DIR": str(home / "run"),
            "LANGFLIX_PORT": str(free_port()),
            "LANGFLIX_FLOWER_PORT": str(free_port()),
            "LANGFLIX_CONCURRENCY": "1",
            "LANGFLIX_MAX_UPLOAD_BYTES": str(64 * 2**20),
        },
        home,
    )
    migrated = stack.run("migrate", "--json")
    assert migrated.returncode == 0, migrated.stderr
    yield stack


@pytest.fixture(scope="module")
def stack(
    postgres: Postgres, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Give the module's tests one stack, with nothing of LangFlix running yet."""
    with new_stack(postgres, redis, tmp_path_factory.mktemp("stack")) as made:
        yield made


@pytest.fixture(scope="module")
def api(stack: Stack) -> Iterator[httpx.Client]:
    """Run the API and give a client for it."""
    with stack.role("api"), httpx.Client(base_url=stack.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def worker(stack: Stack) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker."""
    with stack.role("worker") as process:
        yield process


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a film of five seconds: LANGFLIX_TEST_CLIP, else one drawn by ffmpeg."""
    if told := os.environ.get("LANGFLIX_TEST_CLIP"):
        return Path(told)
    from langflix.media import ffmpeg

    path = tmp_path_factory.mktemp("film") / "film.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=24:duration=5"]
    sound = ["-f", "lavfi", "-i", "sine=frequency=440:duration=5"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    program = str(ffmpeg.program())
    argv = [program, "-v", "error", *picture, *sound, *coding, "-y", str(path)]
    subprocess.run(argv, check=True, timeout=60)
    return path
