"""Scans of a real media share into a real database.

Longer than other modules, because all of it scans one share into one database.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from tests.integration.langflix.conftest import (
    SUBTITLE,
    Postgres,
    Redis,
    Stack,
    new_stack,
    running,
    wait_until,
)

from langflix.data import films, jobs
from langflix.data.engine import connect, session, sole_scanner
from langflix.data.models import MediaFilm
from langflix.errors import MediaError
from langflix.media import ffmpeg
from langflix.media.share import Share
from langflix.media.storage import Storage
from langflix.queue.app import SCAN_MEDIA, create
from langflix.queue.scan import Budget, scan
from langflix.queue.work import Doors

#: Scans without Celery, again and again until killed.
SCAN_ON = """
import os
from langflix.data.engine import connect
from langflix.media import ffmpeg
from langflix.media.share import Share
from langflix.media.storage import Storage
from langflix.queue.scan import Budget, scan
from langflix.queue.work import Doors
from langflix.settings import Settings
settings = Settings.from_env(os.environ)
engine = connect(settings.need_database())
doors = Doors(engine, Storage(settings.data_dir), ffmpeg.program, Share(settings.media_dir))
while True:
    print(scan(doors, Budget(5)), flush=True)
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a film of five seconds that costs next to nothing to look at."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc=size=64x36:rate=5:duration=5"]
    argv = [str(ffmpeg.program()), "-v", "error", *picture, "-c:v", "libx264", "-y", str(path)]
    subprocess.run(argv, check=True, timeout=60)
    return path


@pytest.fixture
def stack(postgres: Postgres, redis: Redis, tmp_path: Path) -> Iterator[Stack]:
    """Give each test a database and an empty media share of its own."""
    (tmp_path / "share").mkdir()
    with new_stack(postgres, redis, tmp_path) as made:
        made.environ["LANGFLIX_MEDIA_DIR"] = str(tmp_path / "share")
        yield made


@pytest.fixture
def share(stack: Stack) -> Path:
    """Give the share."""
    return stack.home / "share"


@pytest.fixture
def doors(stack: Stack, share: Path) -> Iterator[Doors]:
    """Give what a scan needs."""
    engine = connect(stack.settings.need_database())
    yield Doors(engine, Storage(stack.settings.data_dir), ffmpeg.program, Share(share))
    engine.dispose()


def put(share: Path, path: str, source: Path | bytes, age_s: float = 3600) -> Path:
    """Put a file on the share that was last written to some time ago."""
    to = share / path
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(source if isinstance(source, bytes) else source.read_bytes())
    written = time.time() - age_s
    os.utime(to, (written, written))
    return to


def rows(doors: Doors) -> dict[str, MediaFilm]:
    """Return what the table holds, by path."""
    with session(doors.engine) as db:
        return {row.path: row for row in db.scalars(select(MediaFilm))}


def counted(doors: Doors, budget: Budget | None = None) -> tuple[int, int, int, int, int]:
    """Scan and return how many films were added, changed, removed, probed, and left."""
    done = scan(doors, budget or Budget())
    assert done is not None
    return done.added, done.changed, done.removed, done.probed, done.left


def test_the_table_follows_the_share(doors: Doors, share: Path, tiny: Path) -> None:
    """Films come with what they are, change, and go; a scan of the same share changes nothing."""
    put(share, "Serie/one.mp4", tiny)
    put(share, "Serie/one.en.srt", SUBTITLE)
    put(share, "two.mp4", tiny)
    assert counted(doors) == (2, 0, 0, 2, 0)
    first = rows(doors)
    assert first["Serie/one.mp4"].subtitle == "Serie/one.en.srt"
    assert first["Serie/one.mp4"].film == ffmpeg.probe(ffmpeg.program(), tiny).to_json()
    assert first["two.mp4"].subtitle is None
    assert counted(doors) == (0, 0, 0, 0, 0)
    seen = rows(doors)
    assert {path: row.first_seen_at for path, row in seen.items()} == {
        path: row.first_seen_at for path, row in first.items()
    }
    assert seen["two.mp4"].last_seen_at > first["two.mp4"].last_seen_at

    put(share, "two.srt", SUBTITLE)
    put(share, "Serie/one.mp4", b"now it is broken")
    assert counted(doors) == (0, 2, 0, 0, 0)
    changed = rows(doors)
    assert changed["two.mp4"].subtitle == "two.srt"
    assert changed["two.mp4"].film is not None
    assert changed["Serie/one.mp4"].film is None
    shutil.rmtree(share / "Serie")
    assert counted(doors) == (0, 0, 1, 0, 0)
    assert list(rows(doors)) == ["two.mp4"]


def test_a_broken_film_is_asked_once_until_it_changes(
    doors: Doors, share: Path, tiny: Path
) -> None:
    """What cannot be read is kept with its reason, which has no path, until it changes."""
    put(share, "one.mp4", b"no film")
    assert counted(doors) == (1, 0, 0, 1, 0)
    reason = rows(doors)["one.mp4"].problem
    assert reason is not None
    assert "cannot be read" in reason
    assert str(share) not in reason
    assert counted(doors) == (0, 0, 0, 0, 0)
    put(share, "one.mp4", tiny)
    assert counted(doors) == (0, 1, 0, 0, 0)  # its size is new: perhaps it grows
    assert rows(doors)["one.mp4"].problem is None
    assert counted(doors) == (0, 0, 0, 1, 0)
    row = rows(doors)["one.mp4"]
    assert (row.problem, row.film is not None) == (None, True)


def test_a_film_that_may_not_be_opened_is_tried_again(
    doors: Doors, share: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its problem is told, and goes when the right to read is given, which changes no file."""
    put(share, "one.mp4", tiny)
    opened = Path.open

    def refuse(path: Path, mode: str = "r") -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    for _ in range(2):
        scan(doors)
        assert rows(doors)["one.mp4"].problem == films.FORBIDDEN
    monkeypatch.setattr(Path, "open", opened)
    scan(doors)
    row = rows(doors)["one.mp4"]
    assert (row.problem, row.film is not None) == (None, True)


def test_a_film_that_is_being_copied_is_left(doors: Doors, share: Path, tiny: Path) -> None:
    """A film of this minute waits; one that is written to while it is asked tells nothing."""
    put(share, "one.mp4", tiny, age_s=5)
    assert counted(doors) == (0, 0, 0, 0, 0)
    put(share, "one.mp4", tiny)

    def late() -> Path:
        with (share / "one.mp4").open("ab") as file:
            file.write(b"more")
        return ffmpeg.program()

    assert counted(replace(doors, ffmpeg=late)) == (1, 0, 0, 0, 1)
    row = rows(doors)["one.mp4"]
    assert (row.film, row.problem) == (None, None)


def test_a_share_that_is_away_changes_nothing(doors: Doors, share: Path, tiny: Path) -> None:
    """Gone, empty as when unmounted, or a file: the table stays as it is, until it is back."""
    put(share, "Serie/one.mp4", tiny)
    put(share, "two.mp4", tiny)
    scan(doors)
    before = {path: row.last_seen_at for path, row in rows(doors).items()}
    away = share.with_name("away")
    share.rename(away)
    assert scan(doors) is None
    share.mkdir()
    assert scan(doors) is None
    share.rmdir()
    share.touch()
    assert scan(doors) is None
    share.unlink()
    assert {path: row.last_seen_at for path, row in rows(doors).items()} == before
    away.rename(share)
    assert counted(doors) == (0, 0, 0, 0, 0)


def test_a_share_that_goes_away_while_films_are_asked(
    doors: Doors, share: Path, tiny: Path
) -> None:
    """Nothing is called unreadable for it; the next scan with the share there asks again."""
    put(share, "one.mp4", tiny)

    def unmount() -> Path:
        share.rename(share.with_name("away"))
        share.mkdir()
        return ffmpeg.program()

    assert counted(replace(doors, ffmpeg=unmount)) == (1, 0, 0, 0, 1)
    share.rmdir()
    share.with_name("away").rename(share)
    assert counted(doors) == (0, 0, 0, 1, 0)


def test_a_missing_ffmpeg_is_no_films_fault(doors: Doors, share: Path, tiny: Path) -> None:
    """Without ffmpeg films become known, and are asked once it is there."""
    put(share, "one.mp4", tiny)

    def missing() -> Path:
        raise MediaError("there is no ffmpeg")

    assert scan(replace(doors, ffmpeg=missing)) is None
    assert rows(doors)["one.mp4"].problem is None
    assert counted(doors) == (0, 0, 0, 1, 0)


def test_without_a_share_there_is_no_scan(doors: Doors) -> None:
    """A worker without a media share does nothing."""
    assert scan(replace(doors, share=None)) is None


def test_one_scan_at_a_time(doors: Doors, share: Path, tiny: Path) -> None:
    """While another holds the scan none begins; afterwards one does."""
    put(share, "one.mp4", tiny)
    with sole_scanner(doors.engine) as mine:
        assert mine
        assert scan(doors) is None
        assert rows(doors) == {}
    assert counted(doors) == (1, 0, 0, 1, 0)


def test_a_large_share_is_taken_in_over_several_scans(
    doors: Doors, share: Path, tiny: Path
) -> None:
    """3,000 films are known after one scan, which asks no more of them than its budget says."""
    first = put(share, "film 0.mp4", tiny)
    for number in range(1, 3000):
        folder = share / f"folder {number % 100}"
        folder.mkdir(exist_ok=True)
        os.link(first, folder / f"film {number}.mp4")
    put(share, "folder 7/film 7.srt", SUBTITLE)
    assert counted(doors, Budget(4)) == (3000, 0, 0, 4, 2996)
    assert rows(doors)["folder 7/film 7.mp4"].film is not None
    assert counted(doors, Budget(4)) == (0, 0, 0, 4, 2992)
    assert counted(doors, Budget(4, time_s=-1)) == (0, 0, 0, 0, 2992)
    with session(doors.engine) as db:
        assert films.count(db) == films.Count(readable=8, unreadable=0, waiting=2992)


def test_films_come_and_go_during_scans(doors: Doors, share: Path, tiny: Path) -> None:
    """Whatever happens to the share meanwhile, the table is in step with it once it is quiet."""
    luck, over = random.Random(11), threading.Event()
    put(share, "stays.mp4", tiny)

    def restless() -> None:
        while not over.is_set():
            folder, name = luck.choice("AB"), luck.choice("xyz")
            path = share / folder / f"{name}.mp4"
            what = luck.randrange(5)
            if what == 0:
                put(share, f"{folder}/{name}.mp4", tiny)
            elif what == 1:
                put(share, f"{folder}/{name}.mp4", b"broken")
            elif what == 2:
                path.unlink(missing_ok=True)
            elif what == 3:
                shutil.rmtree(share / folder, ignore_errors=True)
            elif path.exists():
                path.rename(share / f"{luck.choice('uvw')}.mp4")

    thread = threading.Thread(target=restless)
    thread.start()
    try:
        for _ in range(15):
            assert scan(doors) is not None
    finally:
        over.set()
        thread.join()
    for _ in range(2):
        scan(doors)
    assert_in_step(doors, share, tiny)


def assert_in_step(doors: Doors, share: Path, tiny: Path) -> None:
    """The table has each film of the share once, as it is, and nothing else."""
    lie = {str(path.relative_to(share)): path.stat() for path in share.rglob("*.mp4")}
    found = rows(doors)
    assert set(found) == set(lie)
    for path, row in found.items():
        assert row.bytes == lie[path].st_size
        assert row.modified_at.timestamp() == pytest.approx(lie[path].st_mtime, abs=1e-3)
        whole = row.bytes == tiny.stat().st_size
        assert ((row.film is not None), (row.problem is None)) == (whole, whole), path


def test_killed_scans_leave_nothing_half_done(
    doors: Doors, stack: Stack, share: Path, tiny: Path
) -> None:
    """Scans are killed at random while films come and go; the next one finishes their work."""
    luck = random.Random(3)
    for number in range(40):
        put(share, f"{number % 7}/{number}.mp4", b"broken" if number % 9 == 0 else tiny)
    log = stack.home / "scan.log"
    for kill in range(8):
        argv = [sys.executable, "-c", SCAN_ON]
        with running(argv, log, **stack.environ) as process:
            lines = log.read_text().count("\n")
            wait_until(lambda lines=lines: log.read_text().count("\n") > lines, "a scan is over")  # type: ignore[misc]
            put(share, f"new/{kill}.mp4", tiny)
            (share / f"{kill % 7}" / f"{kill}.mp4").unlink()
            time.sleep(luck.uniform(0, 0.3))
            process.kill()
            process.wait()
        for path, row in rows(doors).items():
            assert not (row.film and row.problem), path
    wait_until(lambda: scan(doors) is not None, "nobody holds the scan")
    for _ in range(2):
        scan(doors)
    assert_in_step(doors, share, tiny)


def test_beat_has_the_worker_scan(stack: Stack, share: Path, tiny: Path, doors: Doors) -> None:
    """With beat, which has no share, and a worker, films appear; the API lists and counts them."""
    put(share, "Serie/one.mp4", tiny)
    put(share, "Serie/one.srt", SUBTITLE)
    put(share, "Über 100%.mp4", tiny)
    put(share, "broken.mp4", b"no film")
    blind = Stack({**stack.environ, "LANGFLIX_MEDIA_DIR": ""}, stack.home)
    with stack.role("api"), httpx.Client(base_url=stack.url, timeout=30) as api:
        with stack.role("worker"), blind.role("beat"):
            wait_until(lambda: "scan.done" in stack.log("worker"), "a scan is done")
        metrics = api.get("/metrics").text
        assert 'langflix_media_films{state="readable"} 2.0' in metrics
        assert 'langflix_media_films{state="unreadable"} 1.0' in metrics
        assert "langflix_media_scan_seconds " in metrics
        assert_listed(api, stack, doors)


def test_a_large_share_is_taken_in_without_waiting_for_beat(
    stack: Stack, share: Path, tiny: Path, doors: Doors
) -> None:
    """A scan whose budget ended is followed by another at once, until every film is known."""
    first = put(share, "film 0.mp4", tiny)
    films_there = Budget().films + 20
    for number in range(1, films_there):
        os.link(first, share / f"film {number}.mp4")
    app = create(stack.settings)
    with stack.role("worker"):
        app.send_task(SCAN_MEDIA)

        def all_known() -> bool:
            with session(doors.engine) as db:
                return films.count(db) == films.Count(films_there, 0, 0)

        wait_until(all_known, "every film is known", 120)
    app.close()


def assert_listed(api: httpx.Client, stack: Stack, doors: Doors) -> None:
    """The API finds the films by text and subtitle, in pages, with the newest job of each."""

    def found(**query: str | int) -> list[str]:
        page = api.get("/api/v1/media/films", params=query).raise_for_status().json()
        assert page["total"] >= len(page["films"])
        return [film["path"] for film in page["films"]]

    assert sorted(found()) == ["Serie/one.mp4", "broken.mp4", "Über 100%.mp4"]
    assert found(q="über 100%") == ["Über 100%.mp4"]
    assert found(q="100_") == []
    assert found(subtitled="true") == ["Serie/one.mp4"]
    assert len(found(subtitled="false")) == 2
    assert [*found(limit=2), *found(limit=2, offset=2)] == found()
    assert sorted(found(fresh="true")) == ["Serie/one.mp4", "Über 100%.mp4"]
    assert api.get("/api/v1/media/films", params={"limit": 0}).status_code == 422

    body = {"video": "Serie//one.mp4", "subtitle": "Serie/one.srt"}
    before = api.post("/api/v1/media/jobs", json=body).json()
    with session(doors.engine) as db:
        jobs.fail(db, before["id"], "it failed")
    assert "Serie/one.mp4" in found(fresh="true")
    job = api.post("/api/v1/media/jobs", json=body).json()
    one = api.get("/api/v1/media/films", params={"subtitled": True}).json()["films"][0]
    assert one["job"] == {"id": job["id"], "status": "PENDING"}
    assert (one["film"]["duration_ms"], one["film"]["width"], one["problem"]) == (5000, 64, None)
    assert datetime.fromisoformat(one["first_seen_at"]).tzinfo is not None
    assert found(fresh="true") == ["Über 100%.mp4"]
    told = stack.run("jobs", "films", "--url", stack.url, "--search", "serie")
    assert told.returncode == 0, told.stderr
    assert told.stdout.split() == ["PENDING", "0:00:05", "64x36", "Serie/one.mp4"]


def test_without_a_share_there_are_no_films_to_ask_for(stack: Stack) -> None:
    """The API answers 404 where no share is set up, as for its folders."""
    blind = Stack({**stack.environ, "LANGFLIX_MEDIA_DIR": ""}, stack.home)
    with blind.role("api"), httpx.Client(base_url=blind.url, timeout=30) as api:
        answer = api.get("/api/v1/media/films")
        assert (answer.status_code, answer.json()["detail"]) == (404, "no media share is set up")


def test_what_is_learnt_of_a_film_that_changed_is_not_kept(
    doors: Doors, share: Path, tiny: Path
) -> None:
    """An answer about a file that the table knows otherwise by now is dropped."""
    put(share, "one.mp4", tiny)
    scan(doors)
    with session(doors.engine) as db:
        before = films.known(db)["one.mp4"].seen
        assert films.describe(db, replace(before, bytes=1), None, "wrong") is False
    assert rows(doors)["one.mp4"].problem is None
