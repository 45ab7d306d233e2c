"""Calls to the middleware of the NAS this runs on, by the client that TrueNAS brings along.

It is part of the runner, and a program of its own besides::

    python3 -c "$(cat middleware.py)" < REQUEST

REQUEST is one line of JSON: ``{"method": …, "args": […], "job": true or false}``. Arguments come on
standard input because sudo writes command lines into the system's log. What it writes are lines of
JSON: any number of ``{"progress": {"percent": …, "description": …}}``, at last ``{"result": …}`` or
``{"error": {"kind": …, "errname": …, "message": …}}``.

``truenas_api_client`` is there in every release from 24.10 on and speaks what its own release does,
which ``midclt`` does not: its options and its output differ from one to the next.
"""

from __future__ import annotations

import errno
import json
import sys
import threading
from collections.abc import Callable, Mapping
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


def call(
    method: str,
    *args: object,
    job: bool = False,
    tell: Callable[[Mapping[str, Any]], object] = lambda _: None,
) -> Any:
    """Call a method; with ``job`` wait, as long as it takes, for the job that it starts.

    Args:
        method: such as ``app.query``.
        args: its arguments, as JSON has them.
        tell: is given each ``{"percent", "description"}`` of a job, on another thread.

    Raises:
        NasError: it failed, or there is no middleware here.
    """
    try:
        from truenas_api_client import (  # type: ignore[import-not-found]
            CallTimeout,
            Client,
            ClientException,
            ValidationErrors,
        )
    except ImportError as error:
        raise NasError(ABSENT, "", f"this is no TrueNAS: {error}") from error
    options: dict[str, Any] = {"timeout": _CALL_S}
    if job:
        options = {"job": True, "callback": lambda fields: tell(fields.get("progress") or {})}
    try:
        with Client() as client:
            return client.call(method, *args, **options)
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
    """Answer the request on standard input."""
    lock = threading.Lock()

    def write(**line: object) -> None:
        with lock:
            sys.stdout.write(json.dumps(line, default=str) + "\n")
            sys.stdout.flush()

    request = json.loads(sys.stdin.readline())
    try:
        result = call(
            request["method"],
            *request["args"],
            job=request["job"],
            tell=lambda progress: write(progress=dict(progress)),
        )
    except NasError as error:
        write(error=error.to_json())
        return 1
    write(result=result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
