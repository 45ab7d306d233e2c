"""``langflix jobs`` against a running API."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
from tests.integration.langflix.conftest import SUBTITLE, Stack


def ask(stack: Stack, *arguments: str, code: int = 0) -> Any:
    """Run one action and return the JSON that it prints."""
    ran = stack.run("jobs", *arguments, "--url", stack.url, "--json", timeout_s=120)
    assert ran.returncode == code, ran.stderr
    return json.loads(ran.stdout) if ran.stdout else ran.stderr


def test_a_job_from_upload_to_deletion(
    stack: Stack, api: httpx.Client, worker: subprocess.Popen[bytes], clip: Path
) -> None:
    """Upload and wait, get, list, and delete, each in JSON; what is gone is exit 1."""
    film = [str(clip), str(SUBTITLE)]
    job = ask(stack, "upload", *film, "--title", "Häsin", "--level", "A2", "--wait", "90")
    assert (job["status"], job["title"], job["level"]) == ("DONE", "Häsin", "A2")
    got = ask(stack, "get", job["id"])
    assert len(got["expressions"]) == len(got["clips"]) > 0
    assert [one["id"] for one in ask(stack, "list", "--search", "häsin")["jobs"]] == [job["id"]]
    assert ask(stack, "list", "--status", "FAILED")["jobs"] == []
    assert ask(stack, "delete", job["id"]) == {"deleted": job["id"]}
    assert "there is no such job (404)" in ask(stack, "get", job["id"], code=1)


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
    assert "already (409)" in ask(stack, "cancel", failed["id"], code=1)


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
