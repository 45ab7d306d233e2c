"""``midclt``: the middleware on the command line, with the habits of each release.

Source: ``main`` and ``get_parser`` of ``truenas_api_client/__init__.py`` at the release branches.
"""

from __future__ import annotations

import argparse
import pprint
import sys
from collections.abc import Iterator
from getpass import getpass
from typing import Any

from . import ejson
from .bar import ProgressBar
from .client import DIALECT, Client
from .exc import ClientException


def parser() -> argparse.ArgumentParser:
    """What the release's midclt takes."""
    top = argparse.ArgumentParser(prog="midclt")
    if not DIALECT["quiet_late"]:
        top.add_argument("-q", "--quiet", action="store_true")
    top.add_argument("-u", "--uri")
    top.add_argument("-U", "--username")
    top.add_argument("-P", "--password")
    top.add_argument("-K", "--api-key", metavar=_named("KEY"))
    top.add_argument("-t", "--timeout", type=int, metavar=_named("SECONDS"))
    if DIALECT["stdin"]:
        for flag in ("--insecure", "--no-channel-binding", "--plain"):
            top.add_argument(flag, action="store_true")
    words = top.add_subparsers(dest="name", metavar=_named("<subcommand>"))
    _call(words.add_parser("call", help="Call a TrueNAS API method"))
    words.add_parser("ping", help="Test connection to the server")
    if DIALECT["waitready"]:
        words.add_parser("waitready", help="Wait server")
    subscribe = words.add_parser("subscribe", help="Receive event messages")
    subscribe.add_argument("event", metavar=_named("EVENT"))
    subscribe.add_argument("-n", "--number", type=int, metavar=_named("N"))
    subscribe.add_argument("-t", "--timeout", type=int, metavar=_named("SECONDS"))
    return top


def _named(name: str) -> str | None:
    """What an argument is called in usage; until 25.10 that follows from its flag."""
    return name if DIALECT["stdin"] else None


def _call(call: argparse.ArgumentParser) -> None:
    if DIALECT["quiet_late"]:
        call.add_argument("-q", "--quiet", action="store_true")
    if DIALECT["job_flag"]:
        call.add_argument("-j", "--job", action="store_true")
    else:
        # It takes the next word, whatever that is: any text is true.
        call.add_argument("-j", "--job", type=bool, default=False)
    kinds = ("progressbar", "description")
    call.add_argument("-jp", "--job-print", choices=kinds, default=kinds[0])
    call.add_argument("method", nargs="+", metavar=_named("METHOD"))


def arguments(words: list[str]) -> Iterator[Any]:
    """A method's arguments: JSON where it is some, else the text itself.

    A single hyphen is what standard input says, where the release knows that.
    """
    said = None
    for word in words:
        text = word
        if word == "-" and DIALECT["stdin"]:
            said = _stdin() if said is None else said
            text = said
        try:
            value = ejson.loads(text)
        except Exception:
            value = text
        yield value


def _stdin() -> str:
    if sys.stdin.isatty():
        _complain("Error: Cannot read from stdin when connected to a terminal.")
        _complain("Please pipe input or provide the argument directly.")
        sys.exit(1)
    return sys.stdin.read()


def shown(value: Any) -> str:
    """How a result is printed: numbers and texts as Python has them, all else as JSON."""
    return str(value) if isinstance(value, int | str) else ejson.dumps(value)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> None:
    """Do what the command line says; ends the process."""
    said = parser()
    told = said.parse_args()
    if told.username and not told.password and not (DIALECT["stdin"] and told.api_key):
        told.password = getpass()
    match told.name:
        case "call":
            _run(told)
        case "ping":
            _ping(told)
        case "subscribe":
            _subscribe(told)
        case None if DIALECT["quiet_late"]:
            said.print_help()


def _run(told: argparse.Namespace) -> None:
    try:
        with Client(uri=told.uri) as client:
            _login(client, told)
            try:
                _say(shown(_result(client, told)))
            except ClientException as error:
                if not told.quiet:
                    _explain(error)
                sys.exit(1)
    except (FileNotFoundError, ConnectionRefusedError):
        _complain("Failed to run middleware call. Daemon not running?")
        sys.exit(1)


def _login(client: Client, told: argparse.Namespace) -> None:
    """A login that fails ends it, and the exit code is 0 all the same."""
    try:
        if told.username and told.password:
            if not client.call("auth.login", told.username, told.password):
                raise ValueError("Invalid username or password")
        elif told.api_key and not client.call("auth.login_with_api_key", told.api_key):
            raise ValueError("Invalid API key")
    except Exception as error:
        _say(f"Failed to login:  {error}")
        sys.exit(0)


def _result(client: Client, told: argparse.Namespace) -> Any:
    options: dict[str, Any] = {"timeout": told.timeout} if told.timeout else {}
    method, *words = told.method
    if not told.job:
        return client.call(method, *arguments(words), **options)
    if told.job_print == "description":
        said = _Lines()
        return client.call(method, *arguments(words), job=True, callback=said, **options)
    with ProgressBar() as bar:
        result = client.call(method, *arguments(words), job=True, callback=bar.follow, **options)
        bar.finish()
    return result


class _Lines:
    """Says what a job does, a line for each change."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, job: dict[str, Any]) -> None:
        text = job["progress"]["description"]
        if text is not None and text != self._last:
            _complain(text)
        self._last = text


def _explain(error: ClientException) -> None:
    if error.error:
        _complain(error.error)
    if error.trace:
        _complain(error.trace["formatted"])
    if error.extra:
        _complain(pprint.pformat(error.extra))


def _ping(told: argparse.Namespace) -> None:
    with Client(uri=told.uri) as client:
        answer = client.ping()
        if not answer:
            sys.exit(1)
        if DIALECT["quiet_late"]:
            _say(str(answer))


def _subscribe(told: argparse.Namespace) -> None:
    with Client(uri=told.uri) as client:
        payload = client.event_payload()
        seen = []

        def hear(kind: str, **event: Any) -> None:
            _say(ejson.dumps(event))
            sys.stdout.flush()
            seen.append(kind)
            if told.number and len(seen) >= told.number:
                payload["event"].set()

        client.subscribe(told.event, hear, payload)
        if not payload["event"].wait(timeout=told.timeout):
            sys.exit(1)
