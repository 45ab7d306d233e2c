"""What ``jobs`` can be told; apart from what it does, so that other commands do not load that."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from langflix.settings import DEFAULT_URL


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's own words."""
    common = argparse.ArgumentParser(add_help=False)
    add_api(common)
    wait = argparse.ArgumentParser(add_help=False)
    wait.add_argument("--wait", type=int, metavar="S", help="wait for its end, S seconds at most")
    wishes = argparse.ArgumentParser(add_help=False)
    wishes.add_argument("--title", help="what the lesson is called")
    wishes.add_argument("--level", help="the learner's, A1 to C2")
    wishes.add_argument("--language", help="the learner's own, such as ko")
    wishes.add_argument("--key", type=_key, help="twice the same key makes one job")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(
        name: str, text: str, parents: Sequence[argparse.ArgumentParser] = ()
    ) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=text, parents=[common, *parents])

    listing = action("list", "jobs, newest first")
    listing.add_argument("--status", choices=("PENDING", "RUNNING", "DONE", "FAILED"))
    listing.add_argument("--search", default="", metavar="TEXT", help="in title or file name")
    add_page(listing)
    for name, text in (
        ("get", "one job, with its expressions and clips when it is DONE"),
        ("cancel", "end a job that has not ended"),
        ("delete", "delete a job with its lesson and files"),
    ):
        action(name, text).add_argument("id", metavar="ID")
    action("retry", "queue a FAILED job again", [wait]).add_argument("id", metavar="ID")
    for name, text in (
        ("upload", "send a film and its subtitle"),
        ("from-media", "make a job of files on the media share"),
    ):
        made = action(name, text, [wishes, wait])
        made.add_argument("video", metavar="VIDEO")
        made.add_argument("subtitle", metavar="SUBTITLE")
    films = action("films", "films of the media share, newest first")
    films.add_argument("--search", default="", metavar="TEXT", help="in their paths")
    add_page(films)
    folder = action("media", "list a folder of the media share")
    folder.add_argument("path", metavar="PATH", nargs="?", default="")
    download = action("download", "bring a lesson's clips, videos and words into a folder")
    download.add_argument("id", metavar="ID")
    download.add_argument("--out", metavar="DIR", help="the folder (one of the lesson's own)")
    watch = action("watch", "print a line for each change, of one job until it has ended")
    watch.add_argument("id", metavar="ID", nargs="?")


def add_api(parser: argparse.ArgumentParser) -> None:
    """Describe which API is asked, and how its answer is printed."""
    usual = f"the API (LANGFLIX_URL, else {DEFAULT_URL})"
    parser.add_argument("--url", help=usual)
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_page(parser: argparse.ArgumentParser) -> None:
    """Describe which part of many answers is wanted."""
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="at most (%(default)s)")
    parser.add_argument("--offset", type=int, default=0, metavar="N", help="pass over so many")


def _key(text: str) -> str:
    if not re.fullmatch(r"[!-~]{1,200}", text):
        raise argparse.ArgumentTypeError("1 to 200 letters, digits and marks without spaces")
    return text
