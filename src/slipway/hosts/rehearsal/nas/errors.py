"""Errors of the middleware, and the forms in which clients get them.

Source: ``service_exception.py``, ``api/base/server/ws_handler/rpc.py`` and ``job.py`` of the
middleware.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator

ENOMETHOD = 201
ENOTAUTHENTICATED = 207
_OWN = {ENOMETHOD: "ENOMETHOD", ENOTAUTHENTICATED: "ENOTAUTHENTICATED"}

Problem = tuple[str | None, str, int]


def errname(code: int) -> str:
    """The name of an error number; the middleware has some of its own."""
    return errno.errorcode.get(code) or _OWN.get(code) or "EUNKNOWN"


class CallError(Exception):
    """A method refused or failed.

    Attributes:
        errmsg: what went wrong.
        errno: its number.
        extra: more for the client.
    """

    def __init__(self, errmsg: str, errno: int = errno.EFAULT, extra: object = None) -> None:
        super().__init__(errmsg)
        self.errmsg = errmsg
        self.errno = errno
        self.extra = extra

    def __str__(self) -> str:
        return f"[{errname(self.errno)}] {self.errmsg}"


class ValidationError(Exception):
    """One argument is wrong.

    Attributes:
        attribute: which, with dots; None where it is none in particular.
        errmsg: what is wrong with it.
        errno: its number.
    """

    def __init__(self, attribute: str | None, errmsg: str, errno: int = errno.EINVAL) -> None:
        super().__init__(attribute, errmsg)
        self.attribute = attribute
        self.errmsg = errmsg
        self.errno = errno

    @property
    def problem(self) -> Problem:
        """As clients get it."""
        return self.attribute, self.errmsg, self.errno

    def __str__(self) -> str:
        return f"[{errname(self.errno)}] {self.attribute}: {self.errmsg}"


class InstanceNotFound(ValidationError):
    """What was asked for is not there."""

    def __init__(self, errmsg: str) -> None:
        super().__init__(None, errmsg, errno.ENOENT)


class MatchNotFound(IndexError):
    """A query for one thing found none."""


class ValidationErrors(Exception):
    """Arguments are wrong.

    Attributes:
        problems: attribute, what is wrong, number of the error.
    """

    def __init__(self, problems: list[Problem] | None = None) -> None:
        super().__init__()
        self.problems = problems or []

    def add(self, attribute: str, errmsg: str, number: int = errno.EINVAL) -> None:
        """One more."""
        self.problems.append((attribute, errmsg, number))

    def check(self) -> None:
        """Raise when there is any."""
        if self.problems:
            raise self

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.problems)

    def __str__(self) -> str:
        return "".join(f"[{errname(code)}] {name}: {text}\n" for name, text, code in self.problems)


def trace_of(error: BaseException) -> dict[str, object]:
    """Where it happened, as clients get it."""
    return {
        "class": type(error).__name__,
        "frames": [],
        "formatted": "".join(traceback.format_exception(error)),
        "repr": repr(error),
    }


def problems_of(error: BaseException) -> list[Problem] | None:
    """The wrong arguments that an error tells of; None when it is no error of arguments."""
    if isinstance(error, ValidationErrors):
        return list(error)
    if isinstance(error, ValidationError):
        return [error.problem]
    return None


def adapted(error: BaseException) -> CallError:
    """Any other error, as one of the middleware: number and text as clients see them."""
    return error if isinstance(error, CallError) else _Foreign(error)


class _Foreign(CallError):
    """An error of Python's own: it is told as it is, as EINVAL."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error) or repr(error), errno.EINVAL)

    def __str__(self) -> str:
        return self.errmsg


def data_of(error: BaseException) -> dict[str, object]:
    """The ``data`` of an error in JSON-RPC."""
    problems = problems_of(error)
    if problems is not None:
        code, reason, extra = errno.EINVAL, str(error), problems
        return _data(code, reason, error, extra)
    told = adapted(error)
    return _data(told.errno, str(told), error, told.extra)


def _data(code: int, reason: str, error: BaseException, extra: object) -> dict[str, object]:
    return {
        "error": code,
        "errname": errname(code),
        "reason": reason,
        "trace": trace_of(error),
        "extra": extra,
    }


def exc_info_of(error: BaseException) -> dict[str, object]:
    """The ``exc_info`` of a failed job."""
    problems = problems_of(error)
    return {
        "repr": repr(error),
        "type": type(error).__name__ if problems is None else "VALIDATION",
        "errno": error.errno if isinstance(error, CallError | ValidationError) else None,
        "extra": problems if problems is not None else getattr(error, "extra", None),
    }
