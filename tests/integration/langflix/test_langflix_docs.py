"""What the reference of LangFlix shows in a shell does what it says, against a real API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.integration.langflix.conftest import SUBTITLE, Stack
from tests.unit.docs import pages


@pytest.fixture
def shell(stack: Stack, clip: Path, tmp_path: Path) -> Path:
    """Give a folder with a film, its subtitle, a token, and ``langflix`` as a command."""
    assert shutil.which("curl"), "curl is not installed: apt-get install curl"
    shutil.copy(clip, tmp_path / "film.mp4")
    shutil.copy(SUBTITLE, tmp_path / "film.srt")
    (tmp_path / "token").write_text("t0ken\n")
    command = tmp_path / "bin" / "langflix"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m langflix "$@"\n')
    command.chmod(0o755)
    return tmp_path


def run(stack: Stack, shell: Path, page: str) -> list[str]:
    """Run each shell example of a page, in order; return what each printed."""
    examples = [
        block.text
        for block in pages.blocks(pages.read(pages.DOCS / "reference" / page))
        if block.language == "sh"
    ]
    told = []
    for example in examples:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", example],
            cwd=shell,
            env={
                **os.environ,
                **stack.environ,
                "LANGFLIX_URL": stack.url,
                "PATH": f"{shell}/bin:{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert ran.returncode == 0, f"{example}\n{ran.stdout}\n{ran.stderr}"
        told.append(ran.stdout)
    return told


def test_the_examples_of_the_api(
    stack: Stack, api: httpx.Client, worker: subprocess.Popen[bytes], shell: Path
) -> None:
    """curl sends a film, waits, fetches clip, lesson and a range, hears events, and deletes."""
    flow, with_token = run(stack, shell, "api.md")
    assert flow.splitlines()[0] == "DONE"
    assert "event: reset" in flow
    lesson = (shell / "lesson.mp4").read_bytes()
    assert (shell / "start.mp4").read_bytes() == lesson[:1000]
    assert (shell / "clip.mp4").stat().st_size > 0
    assert json.loads(with_token)["jobs"] == []


def test_the_examples_of_the_command_line(
    stack: Stack, api: httpx.Client, worker: subprocess.Popen[bytes], shell: Path
) -> None:
    """Upload, watch, get, download, search, list and delete, as the page shows them."""
    (told,) = run(stack, shell, "langflix-cli.md")
    assert told.startswith("ok\n")
    assert "DONE" in told
    assert (shell / "lesson" / "lesson.mp4").is_file()
    assert json.loads((shell / "jobs.json").read_text("utf-8"))["total"] == 1
    assert api.get("/api/v1/jobs").json()["total"] == 0
