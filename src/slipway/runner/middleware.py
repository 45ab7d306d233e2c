"""Calls to the middleware of the NAS this runs on, by the client that TrueNAS brings along.

It is part of the runner, and a program of its own besides::

    python3 -c "$(cat middleware.py)" < REQUEST

REQUEST is one line of JSON, a list of ``{"method": …, "args": […], "job": true or false}``, made
one after another over one connection. Arguments come on standard input because sudo writes command
lines into the system's log. What it writes are lines of JSON: any number of ``{"progress":
{"percent": …, "description": …}}``, and for each call, in their order, ``{"result": …}`` or
``{"error": {"kind": …, "errname": …, "message": …}}``; after an error the next call is made.

``truenas_api_client`` is there in every release from 24.10 on and speaks what its own release does,
which ``midclt`` does not: its options and its output differ from one to the next.
"""

from __future__ import annotations

import errno
import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

#: Kinds of errors: there is no such client here; the middleware does not answer; an argument or the
#: state of something is wrong; the call or its job failed; it took too long.
ABSENT, AWAY, INVALID, FAILED, LATE = "absent", "away", "invalid", "failed", "late"
#: Codes that only the middleware has (``truenas_api_client/exc.py``).
_OWN = {201: "ENOMETHOD", 207: "ENOTAUTHENTICATED"}
_CALL_S = 120.0


class NasError(Exception):
    """The middleware did not do it.

    Attributes:
        kind: one of this module's kinds.
        errname: such as ``EEXIST``; empty where there is none.
        message: what it said; of an argument that is wrong one line each.
    """

    def __init__(self, kind: str, errname: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.errname, self.message = kind, errname, message

    def to_json(self) -> dict[str, str]:
        """Its form in the output."""
        return {"kind": self.kind, "errname": self.errname, "message": self.message}


Tell = Callable[[Mapping[str, Any]], object]
Calls = Callable[..., Any]


def call(method: str, *args: object, job: bool = False, tell: Tell = lambda _: None) -> Any:
    """Call a method; with ``job`` wait, as long as it takes, for the job that it starts.

    Args:
        method: such as ``app.query``.
        args: its arguments, as JSON has them.
        tell: is given each ``{"percent", "description"}`` of a job, on another thread.

    Raises:
        NasError: it failed, or there is no middleware here.
    """
    with connected() as calls:
        return calls(method, *args, job=job, tell=tell)


@contextmanager
def connected() -> Iterator[Calls]:
    """One connection, as something to :func:`call` any number of methods over.

    Raises:
        NasError: there is no middleware here, or it does not answer.
    """
    with _client() as client:

        def made(method: str, *args: object, job: bool = False, tell: Tell = lambda _: None) -> Any:
            options: dict[str, Any] = {"timeout": _CALL_S}
            if job:
                options = {
                    "job": True,
                    "callback": lambda fields: tell(fields.get("progress") or {}),
                }
            with _told_plainly(method):
                return client.call(method, *args, **options)

        yield made


@contextmanager
def _client() -> Iterator[Any]:
    """The client that TrueNAS brings along, connected."""
    try:
        from truenas_api_client import Client  # type: ignore[import-not-found]
    except ImportError as error:
        raise NasError(ABSENT, "", f"this is no TrueNAS: {error}") from error
    with ExitStack() as stack:
        with _told_plainly("connecting"):
            client = stack.enter_context(Client())
        yield client


def heard(source: str, count: int, seconds: float) -> list[Mapping[str, Any]]:
    """What is told by a source of events; see :class:`slipway.runner.doors.Nas`."""
    found: list[Mapping[str, Any]] = []
    over = threading.Event()

    def hear(kind: str, **message: Any) -> None:
        fields = message.get("fields")
        if kind.lower() == "added" and isinstance(fields, dict):
            found.append(fields)
        if len(found) >= count or kind.lower() == "removed":
            over.set()

    with _client() as client:
        with _told_plainly(source.partition(":")[0]):
            client.subscribe(source, hear)
        over.wait(seconds)
    return found


@contextmanager
def _told_plainly(method: str) -> Iterator[None]:
    """What the client raises, as a :class:`NasError`."""
    from truenas_api_client import CallTimeout, ClientException, ValidationErrors

    try:
        yield
    except ValidationErrors as error:
        first = error.errors[0] if error.errors else None
        code = errno.errorcode.get(getattr(first, "errcode", 0), "")
        raise NasError(INVALID, code, str(error)) from error
    except CallTimeout as error:
        raise NasError(LATE, "ETIMEDOUT", f"{method} gave no answer") from error
    except ClientException as error:
        raise _failed(error) from error
    except OSError as error:
        raise NasError(AWAY, errno.errorcode.get(error.errno or 0, ""), str(error)) from error


def _failed(error: Any) -> NasError:
    message = str(error)
    code = getattr(error, "errno", None)
    name = _OWN.get(code, errno.errorcode.get(code, "")) if isinstance(code, int) else ""
    if not name and message.startswith("[E") and "]" in message:
        name = message[1 : message.index("]")]
    away = name in ("ECONNABORTED", "ECONNREFUSED", "ENOENT") and "[" not in message[:1]
    return NasError(AWAY if away else FAILED, name, message)


def main() -> int:
    """Answer the request on standard input; 1 when a call failed."""
    lock = threading.Lock()

    def write(**line: object) -> None:
        with lock:
            sys.stdout.write(json.dumps(line, default=str) + "\n")
            sys.stdout.flush()

    request = json.loads(sys.stdin.readline())
    left, failed = len(request), 0
    try:
        with connected() as calls:
            for one in request:
                left -= 1
                try:
                    result = calls(
                        one["method"],
                        *one["args"],
                        job=one["job"],
                        tell=lambda progress: write(progress=dict(progress)),
                    )
                except NasError as error:
                    failed = 1
                    write(error=error.to_json())
                else:
                    write(result=result)
    except NasError as error:
        failed = 1
        for _ in range(left):
            write(error=error.to_json())
    return failed


if __name__ == "__main__":
    sys.exit(main())
