"""``langflix jobs`` against a running API."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.langflix.conftest import SUBTITLE, Stack


def ask(stack: Stack, *arguments: str, code: int = 0) -> Any:
    """Run one action and return the JSON that it prints; LANGFLIX_URL says where to."""
    ran = stack.run("jobs", *arguments, "--json", timeout_s=120)
    assert ran.returncode == code, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def stack(stack: Stack) -> Stack:
    """Give a stack whose commands know where its API is."""
    return replace(stack, environ={**stack.environ, "LANGFLIX_URL": stack.url})


def test_a_job_from_upload_to_deletion(
    stack: Stack, api: httpx.Client, worker: subprocess.Popen[bytes], clip: Path
) -> None:
    """Upload and wait, get, list, and delete, each in JSON; what is gone is exit 1."""
    film = [str(clip), str(SUBTITLE)]
    job = ask(stack, "upload", *film, "--title", "Häsin", "--level", "A2", "--wait", "90")
    assert (job["status"], job["title"], job["level"]) == ("DONE", "Häsin", "A2")
    got = ask(stack, "get", job["id"])
    assert len(got["expressions"]) == len(got["clips"]) > 0
    assert [one["kind"] for one in got["videos"]] == ["lesson", "short"]
    assert [one["id"] for one in ask(stack, "list", "--search", "häsin")["jobs"]] == [job["id"]]
    assert ask(stack, "list", "--status", "FAILED")["jobs"] == []
    assert ask(stack, "delete", job["id"]) == {"deleted": job["id"]}
    gone = {"error": "there is no such job (404)", "exit_code": 1}
    assert ask(stack, "get", job["id"], code=1) == gone


def test_failing_cancelling_and_trying_again(
    stack: Stack, api: httpx.Client, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """A job that fails is exit 1; it can be retried, and what has ended cannot be cancelled."""
    film = tmp_path / 'no "film".mp4'
    film.write_bytes(b"no film")
    failed = ask(stack, "upload", str(film), str(SUBTITLE), "--wait", "90", code=1)
    assert failed["status"] == "FAILED"
    again = ask(stack, "retry", failed["id"], "--wait", "90", code=1)
    assert (again["id"], again["status"]) == (failed["id"], "FAILED")
    assert "already (409)" in ask(stack, "cancel", failed["id"], code=1)["error"]


def test_the_same_key_makes_one_job(stack: Stack, api: httpx.Client, clip: Path) -> None:
    """Sending the same film twice with the same key gives the first one's job."""
    words = ["upload", str(clip), str(SUBTITLE), "--key", "again"]
    assert ask(stack, *words)["id"] == ask(stack, *words)["id"]


def test_a_lesson_is_watched_downloaded_and_searched(
    stack: Stack,
    api: httpx.Client,
    worker: subprocess.Popen[bytes],
    clip: Path,
    tmp_path: Path,
) -> None:
    """Events come until the job is DONE; then all files are the server's, and their words found."""
    job = ask(stack, "upload", str(clip), str(SUBTITLE), "--title", "A/B", "--level", "A2")
    ran = stack.run("jobs", "watch", job["id"], "--json", timeout_s=120)
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert (ran.returncode, {one["id"] for one in told}) == (0, {job["id"]})
    assert told[-1]["status"] == "DONE"
    progress = [one["progress"] for one in told]
    assert progress == sorted(progress)

    out = tmp_path / "lesson"
    got = ask(stack, "download", job["id"], "--out", str(out))
    wanted = {f"clip-{one['position'] + 1:02d}.mp4": one for one in clips(api, job)}
    assert set(got["files"]) == {*wanted, "lesson.mp4", "short.mp4", "lesson.json"}
    assert {path.name for path in out.iterdir()} == set(got["files"])
    for name, one in wanted.items():
        assert (out / name).read_bytes() == api.get(one["url"]).content
    lesson = json.loads((out / "lesson.json").read_text("utf-8"))
    assert lesson["job"]["title"] == "A/B"
    assert len(lesson["expressions"]) == len(lesson["clips"]) == len(wanted)

    whole = (out / "lesson.mp4").read_bytes()
    etag = api.get(f"/api/v1/jobs/{job['id']}/videos/lesson/file").headers["etag"].strip('"')
    (out / "lesson.mp4").unlink()
    (out / f"lesson.mp4.{etag}.part").write_bytes(whole[:-100])
    ask(stack, "download", job["id"], "--out", str(out))
    assert (out / "lesson.mp4").read_bytes() == whole
    assert 'videos/lesson/file", "status": 206' in stack.log("api")

    phrase = lesson["expressions"][0]["phrase"]
    ran = stack.run("expressions", "--search", phrase, "--limit", "1", "--json")
    page = json.loads(ran.stdout)
    assert (len(page["expressions"]), page["expressions"][0]["phrase"]) == (1, phrase)


def clips(api: httpx.Client, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a job's clips."""
    found: list[dict[str, Any]] = api.get(f"/api/v1/jobs/{job['id']}/clips").json()["clips"]
    return found


def test_what_is_not_done_cannot_be_downloaded(stack: Stack, api: httpx.Client) -> None:
    """There is no lesson of a job that has failed, and no folder is made."""
    failed = ask(stack, "list", "--status", "FAILED")["jobs"][0]
    told = ask(stack, "download", failed["id"], "--out", "/nowhere/lesson", code=1)
    assert told["error"] == f"job {failed['id']} is FAILED: there is no lesson to download"


def test_mistakes_are_sentences(stack: Stack, api: httpx.Client) -> None:
    """A missing file, a strange id and an address where nobody listens give no traceback."""
    for arguments, code, told in (
        (("upload", "/nowhere.mp4", "/nowhere.srt", "--url", stack.url), 1, "there is no file"),
        (("get", "../x", "--url", stack.url), 1, "is no job's id"),
        (("list", "--url", "http://127.0.0.1:1"), 3, "does not answer"),
        (("list", "--url", "nowhere"), 2, "must be an address"),
        (("media", "--url", stack.url), 1, "no media share is set up (404)"),
    ):
        ran = stack.run("jobs", *arguments)
        assert (ran.returncode, told in ran.stderr) == (code, True), ran.stderr
        assert "Traceback" not in ran.stderr
