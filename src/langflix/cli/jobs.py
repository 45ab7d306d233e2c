"""``jobs``: everything about jobs, asked of a running API."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

from langflix.cli import download, job, jobs_films, output, watch
from langflix.cli.client import Client
from langflix.cli.job import ROOT, Job
from langflix.errors import InputError, LangflixError

POLL_S = 1.0
MEDIA = "/api/v1/media"


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do what was asked and print the answer."""
    client = Client.of(arguments, environ)
    return int(ACTIONS[arguments.action](client, arguments) or 0)


def _list(client: Client, arguments: argparse.Namespace) -> None:
    query = {"q": arguments.search, "limit": arguments.limit, "offset": arguments.offset}
    if arguments.status:
        query["status"] = arguments.status
    page = client.get(ROOT, query)
    if arguments.json:
        output.data_json(page)
        return
    for found in page["jobs"]:
        output.data(job.line(found))
    output.note(f"{len(page['jobs'])} of {page['total']} jobs")


def _get(client: Client, arguments: argparse.Namespace) -> None:
    path = job.path(arguments.id)
    found = client.get(path)
    if found["status"] == "DONE":
        for part in ("expressions", "clips", "videos"):
            found |= client.get(f"{path}/{part}")
    _show(found, arguments)
    if not arguments.json:
        for one in found.get("expressions", ()):
            output.data(f"  {one['level']}  {one['phrase']}\t{one['dialogue']}")


def _cancel(client: Client, arguments: argparse.Namespace) -> None:
    _show(client.post(f"{job.path(arguments.id)}/cancel"), arguments)


def _retry(client: Client, arguments: argparse.Namespace) -> int:
    return _follow(client, client.post(f"{job.path(arguments.id)}/retry"), arguments)


def _delete(client: Client, arguments: argparse.Namespace) -> None:
    client.delete(job.path(arguments.id))
    if arguments.json:
        output.data_json({"deleted": arguments.id})
    else:
        output.note(f"job {arguments.id} is deleted")


def _upload(client: Client, arguments: argparse.Namespace) -> int:
    files = {"video": Path(arguments.video), "subtitle": Path(arguments.subtitle)}
    for path in files.values():
        if not path.is_file():
            raise InputError(f"there is no file {path}")
    bar = output.Bytes("sending")
    try:
        made = client.upload(ROOT, files, _wishes(arguments), bar, arguments.key)
    finally:
        bar.end()
    return _follow(client, made, arguments)


def _from_media(client: Client, arguments: argparse.Namespace) -> int:
    body = {"video": arguments.video, "subtitle": arguments.subtitle, **_wishes(arguments)}
    return _follow(client, client.post(f"{MEDIA}/jobs", body, arguments.key), arguments)


def _media(client: Client, arguments: argparse.Namespace) -> None:
    folder = client.get(MEDIA, {"path": arguments.path})
    if arguments.json:
        output.data_json(folder)
        return
    for entry in folder["entries"]:
        output.data(f"{entry['kind']:<9}{entry['bytes']:>14}  {entry['path']}")


def _follow(client: Client, found: Job, arguments: argparse.Namespace) -> int:
    """Wait for the job's end when that was asked for; return 1 when it failed."""
    if arguments.wait:
        bar = output.Percent(f"job {found['id']}")
        deadline = time.monotonic() + arguments.wait
        try:
            while found["status"] not in job.ENDED:
                if time.monotonic() > deadline:
                    raise LangflixError(
                        f"job {found['id']} is {found['status']} after {arguments.wait} s;"
                        " it goes on"
                    )
                bar(found["progress"])
                time.sleep(POLL_S)
                found = client.get(job.path(found["id"]))
        finally:
            bar.end()
    _show(found, arguments)
    return 1 if found["status"] == "FAILED" else 0


def _show(found: Job, arguments: argparse.Namespace) -> None:
    if arguments.json:
        output.data_json(found)
    else:
        output.data(job.line(found))


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
    "download": download.run,
    "watch": watch.run,
}
