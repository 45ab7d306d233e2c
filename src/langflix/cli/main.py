"""Parses the command line and imports only what the command needs."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from math import inf

from langflix.cli import jobs_arguments, output
from langflix.errors import LangflixError, SettingsError

#: Command: the module that has ``run(arguments, environ) -> exit code``.
MODULES: Mapping[str, str] = {
    "api": "langflix.cli.serve",
    "worker": "langflix.cli.serve",
    "beat": "langflix.cli.serve",
    "flower": "langflix.cli.serve",
    "migrate": "langflix.cli.migrate",
    "health": "langflix.cli.health",
    "jobs": "langflix.cli.jobs",
    "expressions": "langflix.cli.expressions",
    "sessions": "langflix.cli.sessions",
    "tokens": "langflix.cli.tokens",
    "run": "langflix.cli.run",
    "smoke": "langflix.cli.smoke",
    "load": "langflix.cli.load",
    "traffic": "langflix.cli.traffic",
    "check": "langflix.cli.check",
}
#: The code of a shell's command that SIGPIPE ended.
NOBODY_READS = 141


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command and return its exit code; errors become sentences on standard error."""
    arguments = parser().parse_args(argv)
    module = importlib.import_module(MODULES[arguments.command])
    try:
        return int(module.run(arguments, os.environ if environ is None else environ))
    except LangflixError as error:
        return _failed(error, getattr(arguments, "json", False))
    except BrokenPipeError:  # who read the output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    except KeyboardInterrupt:
        return 130


def _failed(error: LangflixError, as_json: bool) -> int:
    for problem in error.problems if isinstance(error, SettingsError) else [error]:
        print(f"langflix: {problem}", file=sys.stderr)  # noqa: T201
    if as_json:
        output.json_line({"error": str(error), "exit_code": error.exit_code})
    return error.exit_code


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser("langflix", description="Short language lessons out of films.")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands.add_parser("api", help="serve HTTP")
    commands.add_parser("worker", help="work on queued jobs")
    commands.add_parser("beat", help="send the periodic tasks")
    commands.add_parser("flower", help="show workers and tasks to people")
    _add_migrate(commands.add_parser("migrate", help="bring the database to a revision"))
    health = commands.add_parser("health", help="ask a running API how everything is")
    jobs_arguments.add_api(health)
    of_jobs = commands.add_parser("jobs", help="make, list and end jobs of a running API")
    jobs_arguments.add_arguments(of_jobs)
    _add_expressions(commands.add_parser("expressions", help="search what all lessons say"))
    _add_sessions(commands.add_parser("sessions", help="browsers that are signed in"))
    _add_tokens(commands.add_parser("tokens", help="tokens with names, and what they let do"))
    _add_run(commands.add_parser("run", help="make a lesson here, without any service"))
    _add_smoke(commands.add_parser("smoke", help="make one lesson through a deployed stack"))
    _add_load(commands.add_parser("load", help="time a deployed stack whose workers are busy"))
    _add_traffic(commands.add_parser("traffic", help="count what fails of every kind of traffic"))
    check = commands.add_parser("check", help="a container's health check")
    check.add_argument("role", choices=("api", "worker", "beat", "flower"))
    return top


def _add_migrate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plan", action="store_true", help="print what would be done, and stop")
    parser.add_argument("--to", default="head", metavar="REV", help="a revision, head or base")
    for name, seconds, what in (
        ("wait", 60.0, "for another process that migrates"),
        ("lock-timeout", 10.0, "for a lock that another session holds"),
        ("statement-timeout", 300.0, "for one statement; 0: as long as it takes"),
    ):
        parser.add_argument(f"--{name}", type=_seconds, default=seconds, metavar="S", help=what)
    parser.add_argument("--json", action="store_true", help="print JSON")


def _seconds(word: str) -> float:
    value = float(word)
    if not 0 <= value < inf:
        raise argparse.ArgumentTypeError(f"should be seconds from 0, got {word}")
    return value


def _add_expressions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--search", default="", metavar="TEXT", help="in phrase, dialogue, meaning")
    parser.add_argument("--level", help="only this one, A1 to C2")
    jobs_arguments.add_page(parser)
    jobs_arguments.add_api(parser)


def _add_sessions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    jobs_arguments.add_api(actions.add_parser("list", help="the one that was used last first"))
    end = actions.add_parser("end", help="sign a browser out")
    end.add_argument("id", metavar="ID", nargs="?")
    end.add_argument("--all", action="store_true", help="every one")
    jobs_arguments.add_api(end)


def _add_tokens(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="make one; it is shown once")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--scope", required=True, choices=("read", "upload", "admin"))
    add.add_argument("--days", type=int, metavar="N", help="lets in for so long; for ever without")
    jobs_arguments.add_api(add)
    jobs_arguments.add_api(actions.add_parser("list", help="those that let in, by name"))
    revoke = actions.add_parser("revoke", help="take one away")
    revoke.add_argument("name", metavar="NAME")
    jobs_arguments.add_api(revoke)


def _add_smoke(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", required=True, help="where the stack answers")
    parser.add_argument("--video", required=True, help="a short film")
    parser.add_argument("--subtitle", required=True, help="its subtitle")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_load(parser: argparse.ArgumentParser) -> None:
    _add_smoke(parser)
    parser.add_argument("--rate", type=int, default=50, metavar="N", help="requests in a second")
    parser.add_argument("--seconds", type=int, default=20, metavar="N", help="for so long")
    parser.add_argument("--jobs", type=int, default=20, metavar="N", help="lessons in the queue")


def _add_traffic(parser: argparse.ArgumentParser) -> None:
    _add_smoke(parser)
    parser.add_argument("--rate", type=int, default=50, metavar="N", help="requests in a second")
    parser.add_argument("--seconds", type=int, default=30, metavar="N", help="for so long")
    later = "an answer that takes longer has failed (%(default)s s)"
    parser.add_argument("--patience", type=int, default=10, metavar="S", help=later)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", metavar="VIDEO")
    parser.add_argument("subtitle", metavar="SUBTITLE")
    parser.add_argument("--out", metavar="DIR", help="where the clips go (VIDEO's name + .lesson)")
    parser.add_argument("--level", default="B1", help="the learner's, A1 to C2 (%(default)s)")
    parser.add_argument("--language", default="ko", help="the learner's own (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the lesson as JSON")
