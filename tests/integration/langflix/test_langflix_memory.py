"""Films of any size go through the API without being held in its memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.integration.langflix.conftest import (
    SUBTITLE,
    Postgres,
    Redis,
    Stack,
    new_stack,
    wait_until,
)

#: The smallest memory limit of the API in deploy/, and what its uploads may add to it.
LIMIT = 512 * 2**20
GROWTH = 64 * 2**20
FILM = 384 * 2**20
TOGETHER = 2


@pytest.fixture
def roomy(postgres: Postgres, redis: Redis, tmp_path: Path) -> Iterator[Stack]:
    """Give a stack that takes films as large as the images' API does."""
    with new_stack(postgres, redis, tmp_path) as made:
        yield Stack({**made.environ, "LANGFLIX_MAX_UPLOAD_BYTES": str(8 * 2**30)}, made.home)


def memory(pid: int, field: str) -> int:
    """Return a process's memory in bytes: ``VmRSS`` is now, ``VmHWM`` was the most."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return int(found[field].split()[0]) * 1024


def test_large_uploads_at_once_stay_out_of_memory(roomy: Stack, tmp_path: Path) -> None:
    """Two films of 384 MiB sent at once as fast as they go raise the API's memory by little."""
    film = tmp_path / "film.mp4"
    with film.open("wb") as file:
        file.truncate(FILM)
    with roomy.role("api") as process:
        warm = httpx.get(f"{roomy.url}/api/v1/jobs", timeout=30)
        assert warm.status_code == 200
        before = memory(process.pid, "VmRSS")
        argv = ["jobs", "upload", str(film), str(SUBTITLE), "--url", roomy.url, "--json"]
        sending = [roomy.start(*argv) for _ in range(TOGETHER)]
        assert [one.wait(300) for one in sending] == [0] * TOGETHER
        most = memory(process.pid, "VmHWM")
        page = httpx.get(f"{roomy.url}/api/v1/jobs", timeout=30).json()
    size = FILM + SUBTITLE.stat().st_size
    assert [job["upload_bytes"] for job in page["jobs"]] == [size] * TOGETHER
    assert most < LIMIT
    assert most - before < GROWTH


def test_an_upload_that_breaks_off_leaves_nothing(roomy: Stack, tmp_path: Path) -> None:
    """A sender that is killed half-way leaves no job and no file behind."""
    film = tmp_path / "film.mp4"
    with film.open("wb") as file:
        file.truncate(8 * 2**30 - 2**20)
    with roomy.role("api"):
        argv = ["jobs", "upload", str(film), str(SUBTITLE), "--url", roomy.url]
        sender = roomy.start(*argv)
        data = Path(roomy.environ["LANGFLIX_DATA_DIR"])

        def arrived() -> int:
            return sum(path.stat().st_size for path in data.rglob("video.mp4"))

        wait_until(lambda: arrived() > 32 * 2**20, "the film is arriving")
        sender.kill()
        sender.wait(120)
        wait_until(lambda: not list(data.rglob("video.mp4")), "what arrived is removed")
        assert httpx.get(f"{roomy.url}/api/v1/jobs", timeout=30).json()["total"] == 0


def test_the_sender_is_small_too(roomy: Stack, tmp_path: Path) -> None:
    """The command line reads a film as it sends it."""
    film = tmp_path / "film.mp4"
    with film.open("wb") as file:
        file.truncate(FILM)
    argv = ["jobs", "upload", str(film), str(SUBTITLE), "--url", roomy.url]
    with roomy.role("api"):
        sender = roomy.start(*argv)
        seen = [0]
        while sender.poll() is None:
            try:
                seen.append(memory(sender.pid, "VmHWM"))
            except (OSError, KeyError):
                break
        assert sender.wait(180) == 0
    assert 0 < max(seen) < 2 * GROWTH
