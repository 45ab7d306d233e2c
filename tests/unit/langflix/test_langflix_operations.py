"""The command line does what the API does: every operation is reached by a command."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.langflix.fake_api import Asked, FakeApi, Told, fake_api

from langflix.api.app import create
from langflix.cli import download, watch
from langflix.cli.main import main, parser
from langflix.settings import Settings

ID = "11111111-2222-3333-4444-555555555555"
#: Operations that no command needs, and why.
NOT_FOR_COMMANDS = {
    "GET /api/v1/session": "tells the page whether to ask for the token; a command just sends it",
    "POST /api/v1/session": "trades the token for a browser's cookie",
    "DELETE /api/v1/session": "forgets a browser's cookie",
    "DELETE /api/v1/sessions": "`langflix sessions end --all`; a second way to call a command",
    "GET /ready": "for the proxy; `langflix health` asks the same and more",
    "GET /metrics": "for Prometheus",
}
#: Commands that ask no API, and why.
NOT_OF_THE_API = {
    **dict.fromkeys(("api", "worker", "beat", "flower"), "are the services"),
    "migrate": "asks the database",
    "run": "works without any service",
    "smoke": "reaches what `jobs` reaches; it is tested against a whole stack",
    "load": "the same",
    "traffic": "the same",
}
#: Every other command, as somebody would type it.
COMMANDS: dict[str, list[str]] = {
    "check": ["api"],
    "health": [],
    "expressions": ["--search", "x", "--level", "B1"],
    "sessions list": [],
    "sessions end": [ID],
    "tokens add": ["one", "--scope", "read"],
    "tokens list": [],
    "tokens revoke": ["one"],
    "jobs list": ["--search", "x"],
    "jobs get": [ID],
    "jobs cancel": [ID],
    "jobs delete": [ID],
    "jobs retry": [ID, "--wait", "5"],
    "jobs upload": ["VIDEO", "SUBTITLE", "--title", "T", "--wait", "5"],
    "jobs from-media": ["a.mp4", "a.srt", "--wait", "5"],
    "jobs media": ["folder"],
    "jobs films": ["--search", "x"],
    "jobs download": [ID, "--out", "OUT"],
    "jobs watch": [],
}
JOB = {
    "id": ID, "status": "DONE", "progress": 100, "title": "T", "error": None, "note": None,
}  # fmt: skip
PENDING = {**JOB, "status": "PENDING", "progress": 0}
CLIP = {"position": 0, "url": f"/api/v1/clips/{ID}/file", "bytes": 3, "phrase": "p"}
VIDEO = {"kind": "lesson", "url": f"/api/v1/jobs/{ID}/videos/lesson/file", "bytes": 3}
SAID = {"level": "B1", "phrase": "p", "dialogue": "d", "title": "T"}
FILM = {"path": "a.mp4", "film": None, "problem": "why", "job": None}
NAMED = {
    "name": "one", "scope": "read", "created_at": "2026-01-01T00:00:00Z", "last_used_at": None,
    "expires_at": None,
}  # fmt: skip
SIGNED_IN = {"id": ID, "last_used_at": "2026-11-27T10:00:00Z", "address": "h", "agent": "a"}
FILE = Told(b"abc", headers={"ETag": '"1"'})


def stream(*events: tuple[str, object]) -> Told:
    """Return a stream of events."""
    text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    return Told(text.encode(), headers={"Content-Type": "text/event-stream; charset=utf-8"})


ANSWERS: dict[str, object] = {
    "GET /health": {"status": "ok"},
    "GET /health/detailed": {"status": "ok", "checks": {}},
    "GET /api/v1/jobs": {"jobs": [PENDING], "total": 1},
    "POST /api/v1/jobs": PENDING,
    "GET /api/v1/jobs/{job_id}": JOB,
    "DELETE /api/v1/jobs/{job_id}": Told(b"", 204),
    "POST /api/v1/jobs/{job_id}/cancel": PENDING,
    "POST /api/v1/jobs/{job_id}/retry": PENDING,
    "GET /api/v1/jobs/{job_id}/expressions": {"expressions": [SAID]},
    "GET /api/v1/jobs/{job_id}/clips": {"clips": [CLIP]},
    "GET /api/v1/jobs/{job_id}/videos": {"videos": [VIDEO]},
    "GET /api/v1/jobs/{job_id}/videos/{kind}/file": FILE,
    "GET /api/v1/clips/{clip_id}/file": FILE,
    "GET /api/v1/expressions": {"expressions": [SAID], "total": 1},
    "GET /api/v1/media": {"entries": [{"kind": "video", "bytes": 1, "path": "a.mp4"}]},
    "GET /api/v1/media/films": {"films": [FILM], "total": 1},
    "POST /api/v1/media/jobs": PENDING,
    "GET /api/v1/sessions": {"sessions": [SIGNED_IN]},
    "GET /api/v1/tokens": {"tokens": [NAMED]},
    "POST /api/v1/tokens": Told(json.dumps({**NAMED, "token": "langflix_x"}).encode(), 201),
    "DELETE /api/v1/sessions/{session_id}": Told(b"", 204),
    "DELETE /api/v1/tokens/{name}": Told(b"", 204),
    "GET /api/v1/events": stream(("job", JOB), ("removed", {"id": ID})),
}


def operations(tmp_path: Path) -> dict[str, re.Pattern[str]]:
    """Return each operation of the OpenAPI document, and a pattern of what reaches it."""
    environ = {
        "LANGFLIX_DATABASE_URL": "postgresql+psycopg://langflix@127.0.0.1:1/langflix",
        "LANGFLIX_REDIS_URL": "redis://127.0.0.1:1/0",
        "LANGFLIX_DATA_DIR": str(tmp_path),
    }
    app = create(Settings.from_env(environ))
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
    app.state.services.close()
    return {
        f"{method.upper()} {path}": re.compile(
            f"{method.upper()} " + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        )
        for path, methods in paths.items()
        for method in methods
    }


def names_of(parsed: argparse.ArgumentParser, before: str = "") -> Iterator[str]:
    """Give the name of every command and action that can be typed."""
    for action in parsed._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from names_of(inner, f"{before} {name}".strip())
            return
    yield before


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing."""
    monkeypatch.setattr(watch, "PAUSE_S", 0)
    monkeypatch.setattr(watch, "FAILURES", 3)
    monkeypatch.setattr(download, "PAUSE_S", 0)
    monkeypatch.setattr("langflix.cli.jobs.POLL_S", 0)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[FakeApi]:
    """Give an API that answers as ANSWERS has it; after one stream of events it has no other."""
    known = operations(tmp_path)
    streams = [ANSWERS["GET /api/v1/events"]]

    def answer(asked: Asked) -> Told:
        found = [name for name, pattern in known.items() if pattern.fullmatch(_words(asked))]
        told = ANSWERS.get(found[0] if found else "", Told(b"{}", 404))
        if asked.path.endswith("/events"):
            told = streams.pop() if streams else Told(b"", 503)
        return told if isinstance(told, Told) else Told(json.dumps(told).encode())

    with fake_api(answer) as made:
        yield made


def _words(asked: Asked) -> str:
    return f"{asked.method} {asked.path}"


def test_every_command_is_named_here() -> None:
    """The tables of this test know the commands that there are, and no other."""
    missing = set(names_of(parser())) ^ (set(COMMANDS) | set(NOT_OF_THE_API))
    assert not missing, f"add to COMMANDS, or remove there: {sorted(missing)}"


def test_every_operation_is_reached_by_a_command(api: FakeApi, tmp_path: Path) -> None:
    """All commands together ask for every operation of the OpenAPI document, and for no other."""
    files = {"VIDEO": "film.mp4", "SUBTITLE": "film.srt", "OUT": "lesson"}
    for name in ("film.mp4", "film.srt"):
        (tmp_path / name).write_bytes(b"x")
    environ = {"LANGFLIX_URL": api.url, "LANGFLIX_PORT": api.url.rpartition(":")[2]}
    for name, words in COMMANDS.items():
        argv = [str(tmp_path / files[word]) if word in files else word for word in words]
        code = main([*name.split(), *argv], environ)
        assert code == (3 if name == "jobs watch" else 0), name  # as the API goes away
    asked = {_words(one) for one in api.asked}
    known = operations(tmp_path)
    reached = {
        name for name, pattern in known.items() if any(pattern.fullmatch(one) for one in asked)
    }
    unknown = [
        one for one in asked if not any(pattern.fullmatch(one) for pattern in known.values())
    ]
    assert not unknown, f"commands ask for what the API does not have: {unknown}"
    unreached = sorted(set(known) - reached - set(NOT_FOR_COMMANDS))
    told = "no command reaches {}: add one with its row in COMMANDS, or a reason here"
    assert not unreached, told.format(", ".join(unreached))
    assert set(NOT_FOR_COMMANDS) <= set(known) - reached, "a row of NOT_FOR_COMMANDS is stale"


def watched(
    capsys: pytest.CaptureFixture[str], job: object, *streams: Told, only: bool = True
) -> tuple[int, list[Any]]:
    """Run ``jobs watch`` on these streams; return its code and the JSON lines that it prints."""
    left = list(streams)

    def answer(asked: Asked) -> Told:
        if asked.path.endswith("/events"):
            return left.pop(0) if left else Told(b"", 503)
        return Told(json.dumps(job if only else {"jobs": [job]}).encode())

    with fake_api(answer) as api:
        code = main(["jobs", "watch", *([ID] if only else []), "--json", "--url", api.url], {})
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_watch_ends_with_its_job(capsys: pytest.CaptureFixture[str]) -> None:
    """Each change is one line, over streams that end and fail; what was told is not told again."""
    running = {**JOB, "status": "RUNNING", "progress": 7}
    other = {**JOB, "id": "other"}
    code, told = watched(
        capsys,
        PENDING,
        stream(("reset", {}), ("job", other), ("job", PENDING), ("job", running)),
        Told(b"", 502),
        stream(("job", running), ("hello", {}), ("job", JOB), ("job", running)),
    )
    assert (code, told) == (0, [PENDING, running, JOB])


def test_a_watch_of_a_job_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """FAILED is exit 1; so is a job that is deleted, which is an error."""
    failed = {**JOB, "status": "FAILED", "error": "no film"}
    assert watched(capsys, PENDING, stream(("job", failed))) == (1, [PENDING, failed])
    code, told = watched(capsys, PENDING, stream(("removed", {"id": ID})))
    assert (code, told[1:]) == (1, [{"error": f"job {ID} was deleted", "exit_code": 1}])


def test_a_watch_of_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """What has ended before is not told; changes and removals are; silence is no endless loop."""
    gone = ("removed", {"id": ID})
    news = {**JOB, "id": "new"}
    code, told = watched(
        capsys, JOB, stream(("reset", {}), ("job", JOB), ("job", news), gone), only=False
    )
    error = {"error": "Service Unavailable (503)", "exit_code": 3}
    assert (code, told) == (3, [news, {"id": ID, "removed": True}, error])


@pytest.mark.parametrize(
    "answer",
    [
        Told(b"<html>", headers={"Content-Type": "text/html"}),
        Told(b"event: job\ndata: 1\n\n", headers={"Content-Type": "text/event-stream"}),
    ],
)
def test_a_watch_of_a_stranger(capsys: pytest.CaptureFixture[str], answer: Told) -> None:
    """What is no stream of this API is a sentence and exit 3."""
    code, told = watched(capsys, PENDING, *[answer] * 3)
    assert (code, told[1]["exit_code"]) == (3, 3)
    assert "not as LangFlix does" in told[1]["error"]


def test_a_watch_that_is_refused_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """An API that wants a token is not asked again and again."""
    refused = Told(b'{"detail": "send the token"}', 401)
    code, told = watched(capsys, PENDING, refused, stream(("job", JOB)))
    assert (code, told[1:]) == (1, [{"error": "send the token (401)", "exit_code": 1}])


def test_a_lesson_lies_in_a_folder_of_its_own(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ``--out`` title and id name the folder; another job's lesson is not mixed in."""
    monkeypatch.chdir(tmp_path)
    assert main(["jobs", "download", ID, "--url", api.url], {}) == 0
    folder = tmp_path / "T 11111111.lesson"
    files = {"clip-01.mp4", "lesson.mp4", "lesson.json"}
    assert {path.name for path in folder.iterdir()} == files
    lesson = json.loads((folder / "lesson.json").read_text())
    assert (lesson["job"], lesson["clips"][0]["file"]) == (JOB, "clip-01.mp4")
    assert main(["jobs", "download", ID, "--url", api.url], {}) == 0
    (folder / "lesson.json").write_text('{"job": {"id": "another"}}')
    assert main(["jobs", "download", ID, "--url", api.url], {}) == 1
    assert json.loads((folder / "lesson.json").read_text()) == {"job": {"id": "another"}}


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (["health", "--url", "http://127.0.0.1:1"], 3, "http://127.0.0.1:1 does not answer"),
        (["jobs", "get", "../x"], 1, "'../x' is no job's id"),
        (["jobs", "list", "--url", "http://h:x"], 2, "must be an address"),
        (["run", "/nowhere.mp4", "/nowhere.srt"], 1, "there is no file /nowhere.mp4"),
    ],
)
def test_errors_in_json(
    argv: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With ``--json`` an error is an object on standard output, and still a sentence beside it."""
    assert main([*argv, "--json"], {}) == code
    streams = capsys.readouterr()
    error = json.loads(streams.out)
    assert (told in error["error"], error["exit_code"]) == (True, code)
    assert streams.err == f"langflix: {error['error']}\n"


def test_the_flag_goes_before_the_variable(capsys: pytest.CaptureFixture[str]) -> None:
    """``--url`` is asked, else LANGFLIX_URL, else this machine."""
    environ = {"LANGFLIX_URL": "nowhere"}
    assert main(["health"], environ) == 2
    assert main(["health", "--url", "http://127.0.0.1:1"], environ) == 3
    assert Settings.from_env({}).url == "http://127.0.0.1:8000"
