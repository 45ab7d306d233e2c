"""``jobs films``: the films of the media share."""

from __future__ import annotations

import argparse
from typing import Any

from langflix.cli import output
from langflix.cli.client import Client


def run(client: Client, arguments: argparse.Namespace) -> None:
    """Print the films that the last scan found, newest first."""
    query = {"q": arguments.search, "limit": arguments.limit, "offset": arguments.offset}
    page = client.get("/api/v1/media/films", query)
    if arguments.json:
        output.data_json(page)
        return
    for film in page["films"]:
        output.data(line(film))
    output.note(f"{len(page['films'])} of {page['total']} films")


def line(film: dict[str, Any]) -> str:
    """Return a film for people, on one line: its newest job's status, length, size and path."""
    status = film["job"]["status"] if film["job"] else "-"
    what = film["film"]
    length = _length(what["duration_ms"]) if what else "-"
    size = f"{what['width']}x{what['height']}" if what else "-"
    why = f"  {film['problem']}" if film["problem"] else ""
    return f"{status:<8}{length:>8}  {size:<10}{film['path']}{why}"


def _length(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
