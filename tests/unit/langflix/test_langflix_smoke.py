"""The smoke job when people's films are before it in the queue."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.langflix.fake_api import Asked, FakeApi, Told, fake_api

from langflix.cli import main, smoke

JOB = "/api/v1/jobs/1"


@pytest.fixture
def film(tmp_path: Path) -> list[str]:
    """A film and a subtitle, as arguments."""
    for name in ("a.mp4", "a.srt"):
        (tmp_path / name).write_bytes(b"x")
    return ["--video", str(tmp_path / "a.mp4"), "--subtitle", str(tmp_path / "a.srt")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fractions of a second instead of minutes."""
    monkeypatch.setattr(smoke, "QUEUE_S", 0.3)
    monkeypatch.setattr(smoke, "TIMEOUT_S", 1.0)
    for name in ("POLL_S", "LATE_POLL_S"):
        monkeypatch.setattr(smoke, name, 0.02)


def queue(progress: Iterator[int]) -> Iterator[FakeApi]:
    """A stack whose worker is at one film; the smoke job's turn does not come."""

    def answer(asked: Asked) -> Told:
        if asked.method == "POST":
            return Told(b'{"id": "1"}', 202)
        if asked.method == "DELETE":
            return Told(b"", 204)
        if asked.path == JOB:
            return Told(b'{"id": "1", "status": "PENDING", "progress": 0}')
        running = [{"id": "2", "progress": next(progress)}]
        return Told(json.dumps({"jobs": running}).encode())

    with fake_api(answer) as api:
        yield api


@pytest.fixture
def moving() -> Iterator[FakeApi]:
    """The film goes on."""
    yield from queue(itertools.count())


@pytest.fixture
def standing() -> Iterator[FakeApi]:
    """The film does not."""
    yield from queue(itertools.repeat(7))


def test_a_queue_that_moves_is_enough(
    moving: FakeApi, film: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Hours of films before it are no fault of a deploy; the lesson is taken back."""
    assert main.main(["smoke", "--url", moving.url, *film, "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["behind"] == 1
    assert "workers are busy with 1 others" in told.err
    assert moving.asked[-1].method == "DELETE"


def test_a_queue_that_stands_is_not(
    standing: FakeApi, film: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """When nothing goes on while it waits, it fails; the lesson stays, to be looked at."""
    assert main.main(["smoke", "--url", standing.url, *film]) == 1
    assert "lesson 1 is PENDING at 0 % for 1 s" in capsys.readouterr().err
    assert {one.method for one in standing.asked} == {"POST", "GET"}


def test_it_takes_the_way_that_a_deploy_names(
    moving: FakeApi,
    film: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And no other proxy: that of an office does not lead to a stack at home."""
    monkeypatch.setenv("SLIPWAY_PROXY", moving.url)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert main.main(["smoke", "--url", "http://nas.invalid", *film, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["behind"] == 1
    monkeypatch.delenv("SLIPWAY_PROXY")
    assert main.main(["smoke", "--url", moving.url, *film, "--json"]) == 0
