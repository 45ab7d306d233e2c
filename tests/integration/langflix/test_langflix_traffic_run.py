"""A whole load against a site that keeps its jobs, loses one, or does one twice."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.unit.langflix.fake_api import Asked, Told, fake_api

from langflix.cli.main import main
from langflix.traffic import kinds, run
from langflix.traffic.count import Result
from langflix.traffic.lessons import Book, Lessons

CLIP = bytes(range(256)) * 300
MADE: dict[str, list[dict[str, str]]] = {"expressions": [{}], "clips": [{"url": "/clip"}]}


@dataclass
class Site:
    """Every path that a load asks for; jobs are DONE at once.

    Attributes:
        spoil: changes a listing of the jobs, oldest first, when the load has made one.
        parts: how many expressions and clips a job of the load has.
        broken: paths that are answered with 503.
    """

    spoil: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda jobs: jobs
    parts: int = 1
    broken: tuple[str, ...] = ()
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> Told:
        """Answer one request."""
        with self.lock:
            return self._answer(asked)

    def _answer(self, asked: Asked) -> Told:
        path = asked.path
        if path in self.broken and len(self.jobs) > 1:
            return Told(b"gone", 503)
        if path == "/flower/healthcheck":
            return Told(b"OK")
        if path == "/clip":
            return _clip(asked.headers.get("range"))
        if path == "/health":
            return _json({"status": "ok"})
        if path == "/api/v1/events":
            return Told(b"retry: 1\n\n")
        if path == "/api/v1/expressions":
            return _json({"expressions": [{}]})
        if path == "/api/v1/jobs":
            return self._made(asked) if asked.method == "POST" else self._listed()
        if path.startswith("/api/v1/jobs/"):
            return self._job(asked.method, *path.split("/")[4:])
        return Told(b"<html>page</html>")

    def _made(self, asked: Asked) -> Told:
        key = asked.headers["idempotency-key"]
        title = "-".join(key.split("-")[:2])
        new = {"id": str(len(self.jobs)), "title": title, "status": "DONE", "ended_at": "1"}
        return _json(self.jobs.setdefault(key, new), 202)

    def _listed(self) -> Told:
        jobs = [job for job in self.jobs.values() if job["id"] not in self.deleted]
        if len(jobs) > 2:
            jobs = self.spoil(jobs)
        return _json({"jobs": jobs, "total": len(jobs)})

    def _job(self, method: str, job: str, part: str = "") -> Told:
        if method == "DELETE":
            self.deleted.append(job)
            return Told(b"", 204)
        if part:
            count = self.parts if int(job) > 1 else 1
            return _json({part: MADE[part] * count})
        return _json(next(one for one in self.jobs.values() if one["id"] == job))


def _json(value: object, status: int = 200) -> Told:
    return Told(json.dumps(value).encode(), status)


def _clip(wanted: str | None) -> Told:
    if wanted is None:
        return Told(CLIP)
    start, _, end = wanted.removeprefix("bytes=").partition("-")
    return Told(CLIP[int(start) : int(end) + 1 if end else None], 206)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow transfers are quicker, jobs are given up at once, and no film is encoded."""
    monkeypatch.setattr(kinds, "SLOW_S", 0.2)
    monkeypatch.setattr(run, "SETTLE_S", 0.0)
    monkeypatch.setattr(run, "_films", lambda video: (b"middle" * 1000, b"tiny"))


def loaded(site: Site, tmp_path: Path, seconds: float = 1.2) -> Result:
    """What a second of load comes to, in which one job is made."""
    subtitle = tmp_path / "film.srt"
    subtitle.write_text("1\n")
    began: list[str] = []
    with fake_api(site.answer) as api:
        asked = run.Load(api.url, tmp_path / "film.mp4", subtitle, rate=250, seconds=seconds)
        result = asyncio.run(run.load(asked, {}, began.append))
    assert [result.began] == began
    return result


def test_a_good_site_has_no_failure(tmp_path: Path) -> None:
    """Every kind is sent and answered well, the jobs are done, and nothing stays."""
    site = Site()
    result = loaded(site, tmp_path)
    assert result.failures == ()
    assert {row.kind for row in result.rows} == {"all", *(kind.name for kind in kinds.KINDS)}
    assert result.rows[0].sent == pytest.approx(300, abs=20)
    assert result.lessons.accepted == result.lessons.done == len(site.jobs) - 2 >= 1
    assert set(site.deleted) == {job["id"] for job in site.jobs.values()}


def test_a_broken_path_fails_its_kinds_alone(tmp_path: Path) -> None:
    """What a path fails is counted in the kinds that ask for it, and in no other."""
    result = loaded(Site(broken=("/flower/healthcheck", "/api/v1/events")), tmp_path)
    failed = {row.kind: row for row in result.rows if row.failed}
    assert set(failed) == {"all", "flower", "events"}
    assert failed["flower"].failed == failed["flower"].sent == failed["flower"].faults["status"]


def test_a_lost_job(tmp_path: Path) -> None:
    """A job that was accepted and is not listed at the end is lost."""
    assert loaded(Site(spoil=lambda jobs: jobs[:2]), tmp_path).lessons.lost == ("2",)


def test_a_job_with_parts_twice(tmp_path: Path) -> None:
    """A lesson with twice as much as the first one of the same film was done twice."""
    assert loaded(Site(parts=2), tmp_path).lessons.twice == ("2",)


def test_a_job_that_ends_twice(tmp_path: Path) -> None:
    """A job that is seen with two different ends was done twice."""
    times = itertools.count()

    def again(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [*jobs[:2], *({**job, "ended_at": next(times)} for job in jobs[2:])]

    assert loaded(Site(spoil=again), tmp_path).lessons.twice == ("2",)


def test_jobs_are_followed_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends are noted while the load goes on: what ends again later is seen to."""
    books: list[Book] = []

    async def settle(site: object, book: Book, *_: object) -> Lessons:
        books.append(book)
        return Lessons()

    monkeypatch.setattr(run, "_settle", settle)
    loaded(Site(), tmp_path, seconds=3.0)
    assert "2" not in books[0].open


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two lines of JSON; 1 for a failure and for what is no number, 3 when nobody answers."""
    film, subtitle = tmp_path / "film.mp4", tmp_path / "film.srt"
    for path in (film, subtitle):
        path.write_text("x")
    words = ["traffic", "--video", str(film), "--subtitle", str(subtitle), "--json"]
    with fake_api(Site().answer) as api:
        assert main([*words, "--url", api.url, "--seconds", "1"], {}) == 0
        began, result = (json.loads(line) for line in capsys.readouterr().out.splitlines())
        assert began == {"began": result["began"]}
        assert result["rows"][0]["sent"] > 30
    with fake_api(Site(broken=("/flower/healthcheck",)).answer) as api:
        assert main([*words, "--url", api.url, "--seconds", "1"], {}) == 1
    capsys.readouterr()
    assert main([*words, "--url", api.url], {}) == 3
    assert main([*words, "--url", api.url, "--rate", "0"], {}) == 1
