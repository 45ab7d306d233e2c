"""``jobs``: everything about jobs, asked of a running API."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langflix.cli import jobs_films, output
from langflix.cli.client import Client
from langflix.errors import InputError, LangflixError
from langflix.settings import Settings

ROOT = "/api/v1/jobs"
POLL_S = 1.0
Job = dict[str, Any]


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do what was asked and print the answer."""
    client = Client(arguments.url, Settings.from_env(environ).api_token)
    return int(ACTIONS[arguments.action](client, arguments) or 0)


def _list(client: Client, arguments: argparse.Namespace) -> None:
    query = {"q": arguments.search, "limit": arguments.limit, "offset": arguments.offset}
    if arguments.status:
        query["status"] = arguments.status
    page = client.get(ROOT, query)
    if arguments.json:
        output.data_json(page)
        return
    for job in page["jobs"]:
        output.data(line(job))
    output.note(f"{len(page['jobs'])} of {page['total']} jobs")


def _get(client: Client, arguments: argparse.Namespace) -> None:
    path = _path(arguments)
    job = client.get(path)
    if job["status"] == "DONE":
        job |= client.get(f"{path}/expressions") | client.get(f"{path}/clips")
    _show(job, arguments)
    if not arguments.json:
        for one in job.get("expressions", ()):
            output.data(f"  {one['level']}  {one['phrase']}\t{one['dialogue']}")


def _cancel(client: Client, arguments: argparse.Namespace) -> None:
    _show(client.post(f"{_path(arguments)}/cancel"), arguments)


def _retry(client: Client, arguments: argparse.Namespace) -> int:
    return _follow(client, client.post(f"{_path(arguments)}/retry"), arguments)


def _delete(client: Client, arguments: argparse.Namespace) -> None:
    client.delete(_path(arguments))
    if arguments.json:
        output.data_json({"deleted": arguments.id})
    else:
        output.note(f"job {arguments.id} is deleted")


def _upload(client: Client, arguments: argparse.Namespace) -> int:
    files = {"video": Path(arguments.video), "subtitle": Path(arguments.subtitle)}
    for path in files.values():
        if not path.is_file():
            raise InputError(f"there is no file {path}")
    bar = output.Percent("sending")
    try:
        job = client.upload(ROOT, files, _wishes(arguments), bar)
    finally:
        bar.end()
    return _follow(client, job, arguments)


def _from_media(client: Client, arguments: argparse.Namespace) -> int:
    body = {"video": arguments.video, "subtitle": arguments.subtitle, **_wishes(arguments)}
    return _follow(client, client.post("/api/v1/media/jobs", body), arguments)


def _media(client: Client, arguments: argparse.Namespace) -> None:
    folder = client.get("/api/v1/media", {"path": arguments.path})
    if arguments.json:
        output.data_json(folder)
        return
    for entry in folder["entries"]:
        output.data(f"{entry['kind']:<9}{entry['bytes']:>14}  {entry['path']}")


def _follow(client: Client, job: Job, arguments: argparse.Namespace) -> int:
    """Wait for the job's end when that was asked for; return 1 when it failed."""
    if arguments.wait:
        bar = output.Percent(f"job {job['id']}")
        deadline = time.monotonic() + arguments.wait
        try:
            while job["status"] not in ("DONE", "FAILED"):
                if time.monotonic() > deadline:
                    raise LangflixError(
                        f"job {job['id']} is {job['status']} after {arguments.wait} s; it goes on"
                    )
                bar(job["progress"])
                time.sleep(POLL_S)
                job = client.get(f"{ROOT}/{job['id']}")
        finally:
            bar.end()
    _show(job, arguments)
    return 1 if job["status"] == "FAILED" else 0


def _show(job: Job, arguments: argparse.Namespace) -> None:
    if arguments.json:
        output.data_json(job)
    else:
        output.data(line(job))


def line(job: Job) -> str:
    """Return a job for people, on one line."""
    why = f"  {job['error']}" if job["error"] else ""
    return f"{job['id']}  {job['status']:<8}{job['progress']:>4} %  {job['title']}{why}"


def _path(arguments: argparse.Namespace) -> str:
    if not all(char.isalnum() or char == "-" for char in arguments.id):
        raise InputError(f"{arguments.id!r} is no job's id")
    return f"{ROOT}/{arguments.id}"


def _wishes(arguments: argparse.Namespace) -> dict[str, str]:
    named = {name: getattr(arguments, name) for name in ("title", "level", "language")}
    return {name: value for name, value in named.items() if value}


ACTIONS = {
    "list": _list,
    "get": _get,
    "cancel": _cancel,
    "retry": _retry,
    "delete": _delete,
    "upload": _upload,
    "from-media": _from_media,
    "media": _media,
    "films": jobs_films.run,
}
