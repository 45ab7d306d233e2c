"""``expressions``: what is said in all lessons, searched."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from langflix.cli import output
from langflix.cli.client import Client


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the expressions that were found, newest lesson first."""
    query = {"q": arguments.search, "limit": arguments.limit, "offset": arguments.offset}
    if arguments.level:
        query["level"] = arguments.level
    page = Client.of(arguments, environ).get("/api/v1/expressions", query)
    if arguments.json:
        output.data_json(page)
        return 0
    for one in page["expressions"]:
        output.data(f"{one['level']}  {one['phrase']}\t{one['dialogue']}\t{one['title']}")
    output.note(f"{len(page['expressions'])} of {page['total']} expressions")
    return 0
