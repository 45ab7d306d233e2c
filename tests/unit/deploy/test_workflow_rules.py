"""The rules that the workflows keep."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = Path(__file__).parents[3] / ".github/workflows"
TEXT = (WORKFLOWS / "ci.yml").read_text()
JOBS: dict[str, Any] = yaml.safe_load(TEXT)["jobs"]
UPDATE_TEXT = (WORKFLOWS / "update.yml").read_text()
UPDATE: dict[str, Any] = yaml.safe_load(UPDATE_TEXT)["jobs"]
ALL = {**JOBS, **{f"update-{name}": job for name, job in UPDATE.items()}}


def _tasks(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "./inv" in step.get("run", "")]


def test_the_jobs_are_the_tasks_of_a_laptop() -> None:
    """Each job calls one task, and together they are the whole check."""
    assert {name: _tasks(job) for name, job in JOBS.items()} == {
        "lint": ["./inv lint"],
        "unit": ["./inv test --unit"],
        "integration": ["sudo --preserve-env ./inv test --integration"],
        "build": ["sudo --preserve-env ./inv build"],
        "functional": ["sudo --preserve-env ./inv test --functional"],
    }


def test_the_workflow_may_only_read() -> None:
    """The token reads the repository and nothing more, in every job."""
    assert yaml.safe_load(TEXT)["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in JOBS.values())
    assert "secrets." not in TEXT


@pytest.mark.parametrize("job", ALL.values(), ids=ALL)
def test_every_job_ends_and_keeps_no_credentials(job: dict[str, Any]) -> None:
    """Each job has a time limit, a fixed machine, and leaves no token in the checkout."""
    assert 0 < job["timeout-minutes"] <= 60
    assert not job["runs-on"].endswith("latest")
    checkouts = [step for step in job["steps"] if "checkout@" in step.get("uses", "")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False]


def test_every_action_is_pinned_by_commit() -> None:
    """A tag can be moved, a full commit hash can't; the comment says which version it is."""
    uses = re.findall(r"uses: (.*)", TEXT + UPDATE_TEXT)
    assert uses
    for line in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[0-9.]+", line), line


def test_the_nightly_jobs_may_do_what_they_are_for() -> None:
    """One may open a change, the other may show findings; neither may do both, nor more."""
    assert yaml.safe_load(UPDATE_TEXT)["permissions"] == {"contents": "read"}
    assert {name: job["permissions"] for name, job in UPDATE.items()} == {
        "lock": {"actions": "write", "contents": "write", "pull-requests": "write"},
        "audit": {"contents": "read", "security-events": "write"},
    }
    assert "secrets." not in UPDATE_TEXT
    assert [word for name in UPDATE for word in _tasks(UPDATE[name])] == [
        'sudo --preserve-env ./inv lock --update >"$RUNNER_TEMP/update.txt"',
        'sudo --preserve-env ./inv audit --locked --sarif "$RUNNER_TEMP/audit.sarif"',
    ]


def _git(folder: Path, *words: str) -> str:
    argv = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def _opened(folder: Path, changed: str) -> tuple[list[str], str]:
    """Run the step that opens a change beside a real git; what gh was told, and what was pushed."""
    (step,) = (s for s in UPDATE["lock"]["steps"] if s.get("name") == "Open it as a change")
    work, remote = folder / "work", folder / "remote/us/it"
    for path in (work, remote, folder / "bin", folder / "home"):
        path.mkdir(parents=True)
    _git(remote, "init", "--quiet", "--bare")
    _git(work, "init", "--quiet")
    (work / "lock").write_text("old")
    _git(work, "add", "lock")
    _git(work, "commit", "--quiet", "--message", "begin")
    (work / "lock").write_text(changed)
    (folder / "update.txt").write_text("libfoo 1 → 2\n  mends CVE-2026-1\n")
    gh = folder / "bin/gh"
    gh.write_text(f'#!/bin/sh\necho "$@" >>{folder}/told\n')
    gh.chmod(0o755)
    variables = {
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "HOME": str(folder / "home"),
        "RUNNER_TEMP": str(folder),
        "GH_TOKEN": "t",
        "GITHUB_SERVER_URL": f"file://{folder}/remote",
        "GITHUB_REPOSITORY": "us/it",
    }
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", step["run"]], cwd=work, env=variables, check=True
    )
    told = folder / "told"
    pushed = _git(remote, "for-each-ref", "--format=%(refname)%0a%(contents)")
    return told.read_text().splitlines() if told.exists() else [], pushed


def test_what_was_locked_is_opened_as_a_change(tmp_path: Path) -> None:
    """It is pushed to a branch of its own with the changelogs, and the checks are started there."""
    told, pushed = _opened(tmp_path, "new")

    assert pushed.startswith("refs/heads/update\nLock what is newest\n\nlibfoo 1 → 2")
    assert [line.split()[:2] for line in told] == [
        ["pr", "list"], ["pr", "create"], ["workflow", "run"],
    ]  # fmt: skip


def test_nothing_new_opens_nothing(tmp_path: Path) -> None:
    """The checkout is as it was: no branch, no word to the forge."""
    assert _opened(tmp_path, "old") == ([], "")
