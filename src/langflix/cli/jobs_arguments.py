"""What ``jobs`` can be told; apart from what it does, so that other commands do not load that."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def add_arguments(parser: argparse.ArgumentParser, url: str) -> None:
    """Describe the command's own words; ``url`` is the API's unless one is given."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", default=url, help="the API (%(default)s)")
    common.add_argument("--json", action="store_true", help="print JSON")
    wait = argparse.ArgumentParser(add_help=False)
    wait.add_argument("--wait", type=int, metavar="S", help="wait for its end, S seconds at most")
    wishes = argparse.ArgumentParser(add_help=False)
    wishes.add_argument("--title", help="what the lesson is called")
    wishes.add_argument("--level", help="the learner's, A1 to C2")
    wishes.add_argument("--language", help="the learner's own, such as ko")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(
        name: str, text: str, parents: Sequence[argparse.ArgumentParser] = ()
    ) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=text, parents=[common, *parents])

    listing = action("list", "jobs, newest first")
    listing.add_argument("--status", choices=("PENDING", "RUNNING", "DONE", "FAILED"))
    listing.add_argument("--search", default="", metavar="TEXT", help="in title or file name")
    listing.add_argument("--limit", type=int, default=50)
    listing.add_argument("--offset", type=int, default=0)
    for name, text in (
        ("get", "one job, with its expressions and clips when it is DONE"),
        ("cancel", "end a job that has not ended"),
        ("delete", "delete a job with its lesson and files"),
    ):
        action(name, text).add_argument("id")
    action("retry", "queue a FAILED job again", [wait]).add_argument("id")
    for name, text in (
        ("upload", "send a film and its subtitle"),
        ("from-media", "make a job of files on the media share"),
    ):
        made = action(name, text, [wishes, wait])
        made.add_argument("video", metavar="VIDEO")
        made.add_argument("subtitle", metavar="SUBTITLE")
    films = action("films", "films of the media share, newest first")
    films.add_argument("--search", default="", metavar="TEXT", help="in their paths")
    films.add_argument("--limit", type=int, default=50)
    films.add_argument("--offset", type=int, default=0)
    action("media", "list a folder of the media share").add_argument("path", nargs="?", default="")
