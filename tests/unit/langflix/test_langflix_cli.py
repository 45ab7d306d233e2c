"""The command line: what it imports, what it says, and heartbeats."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from langflix import logs
from langflix.cli.main import MODULES, main, parser
from langflix.queue import heartbeat

SRC = Path(__file__).resolve().parents[3] / "src"


def test_every_command_has_a_module() -> None:
    """The parser and the table of modules know the same commands."""
    (action,) = [one for one in parser()._actions if one.dest == "command"]
    assert set(action.choices or ()) == set(MODULES)


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_a_health_check_imports_the_standard_library_only(role: str, tmp_path: Path) -> None:
    """Checking a container loads nothing that is installed."""
    environ = {"LANGFLIX_RUN_DIR": str(tmp_path)}
    code = (
        f"import sys; sys.path.insert(0, {str(SRC)!r}); from langflix.cli.main import main; "
        f"sys.exit(main(['check', {role!r}], {environ!r}))"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],  # -S: nothing installed can be imported
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.startswith(f"{role} has not beaten yet")


def test_problems_of_the_environment_are_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    """A role that cannot start names each missing variable and exits with 2."""
    assert main(["api"], {}) == 2
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "langflix: LANGFLIX_DATABASE_URL is not set",
        "langflix: LANGFLIX_REDIS_URL is not set",
    ]


def test_a_missing_file_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """``run`` names the file that is not there."""
    assert main(["run", "/nowhere.mp4", "/nowhere.srt"], {}) == 1
    assert capsys.readouterr().err == "langflix: there is no file /nowhere.mp4\n"


def test_a_check_of_nobody_fails_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """An API that does not listen is unhealthy, in one line."""
    assert main(["check", "api"], {"LANGFLIX_PORT": "1"}) == 1
    assert capsys.readouterr().out.startswith("api does not answer on port 1")


def test_a_reader_that_has_gone_is_no_defect() -> None:
    """Output that nobody reads any more, as after ``head``, ends a command without a trace."""
    reads, writes = os.pipe()
    os.close(reads)
    argv = [sys.executable, "-m", "langflix", "check", "api"]
    environ = {**os.environ, "PYTHONPATH": str(SRC), "LANGFLIX_PORT": "1"}
    try:
        ran = subprocess.run(
            argv, stdout=writes, stderr=subprocess.PIPE, env=environ, timeout=30, check=False
        )
    finally:
        os.close(writes)
    assert (ran.returncode, ran.stderr) == (141, b"")


def test_a_heartbeat_ages(tmp_path: Path) -> None:
    """Fresh is alive, stale is not, ended is not."""
    assert not heartbeat.check("worker", tmp_path).alive
    heartbeat.beat("worker", tmp_path)
    at = (tmp_path / "worker.heartbeat").stat().st_mtime
    assert heartbeat.check("worker", tmp_path, now=at + 29).alive
    assert not heartbeat.check("worker", tmp_path, now=at + 31).alive
    heartbeat.end("worker", tmp_path)
    assert not heartbeat.check("worker", tmp_path, now=at).alive


def test_a_log_line_is_json_with_ids_and_extras() -> None:
    """A record becomes one line of JSON that names the job and carries its extra fields."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    log = logging.Logger("test")
    log.addHandler(handler)
    with logs.about_job("job-1"):
        log.warning("said %s\nand more", "this", extra={"event": "test", "path": Path("/x")})
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told["message"] == "said this\nand more"
    assert (told["level"], told["job_id"], told["event"]) == ("warning", "job-1", "test")
    assert told["path"] == "/x"


@pytest.mark.parametrize("words", [["jobs", "list"], ["health"]])
def test_the_environment_says_where_the_api_is(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """``LANGFLIX_URL`` is asked where no ``--url`` is given; an empty one is none."""
    nowhere = {"LANGFLIX_URL": "http://127.0.0.1:9"}
    assert main(words, nowhere) == 3
    assert capsys.readouterr().err.startswith("langflix: http://127.0.0.1:9 does not answer")
    assert main([*words, "--url", "http://127.0.0.1:7"], nowhere) == 3
    assert capsys.readouterr().err.startswith("langflix: http://127.0.0.1:7 does not answer")
