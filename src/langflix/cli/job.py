"""What the actions of ``jobs`` have in common: where a job is, and how it is shown."""

from __future__ import annotations

from typing import Any

from langflix.errors import InputError

ROOT = "/api/v1/jobs"
#: Statuses after which nothing more happens by itself.
ENDED = frozenset({"DONE", "FAILED"})
Job = dict[str, Any]


def path(job_id: str) -> str:
    """Return a job's path; raises InputError when the id could be none."""
    if not job_id or not all(char.isalnum() or char == "-" for char in job_id):
        raise InputError(f"{job_id!r} is no job's id")
    return f"{ROOT}/{job_id}"


def line(job: Job) -> str:
    """Return a job for people, on one line."""
    why = f"  {job['error']}" if job["error"] else ""
    return f"{job['id']}  {job['status']:<8}{job['progress']:>4} %  {job['title']}{why}"
