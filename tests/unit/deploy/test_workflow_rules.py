"""The rules that the workflow keeps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = Path(__file__).parents[3] / ".github/workflows"
TEXT = (WORKFLOWS / "ci.yml").read_text()
JOBS: dict[str, Any] = yaml.safe_load(TEXT)["jobs"]


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


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_every_job_ends_and_keeps_no_credentials(job: dict[str, Any]) -> None:
    """Each job has a time limit, a fixed machine, and leaves no token in the checkout."""
    assert 0 < job["timeout-minutes"] <= 60
    assert not job["runs-on"].endswith("latest")
    checkouts = [step for step in job["steps"] if "checkout@" in step.get("uses", "")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False]


def test_every_action_is_pinned_by_commit() -> None:
    """A tag can be moved, a full commit hash can't; the comment says which version it is."""
    uses = re.findall(r"uses: (.*)", TEXT)
    assert uses
    for line in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[0-9.]+", line), line
