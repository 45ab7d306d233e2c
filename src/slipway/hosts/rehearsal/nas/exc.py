"""What clients of the middleware are told of errors, on the host: ``truenas_api_client.exc``."""

from __future__ import annotations

import errno as numbers
from typing import Any, NamedTuple


class ErrorExtra(NamedTuple):
    """One wrong argument."""

    attribute: str | None
    errmsg: str
    errcode: int


class ClientException(Exception):
    """A call failed.

    Attributes:
        error: what went wrong.
        errno: its number.
        trace: where, with the keys ``class``, ``formatted`` and ``repr``.
        extra: more.
    """

    ENOMETHOD = 201
    ENOTAUTHENTICATED = 207

    def __init__(
        self,
        error: str,
        errno: int | None = None,
        trace: dict[str, Any] | None = None,
        extra: Any = None,
    ) -> None:
        super().__init__(error)
        self.errno = errno
        self.error = error
        self.trace = trace
        self.extra = extra

    def __str__(self) -> str:
        return self.error


class ValidationErrors(ClientException):
    """Arguments were wrong.

    Attributes:
        errors: each of them.
    """

    def __init__(self, errors: Any) -> None:
        self.errors = [ErrorExtra(*error[:3]) for error in errors]
        lines = (
            f"[{numbers.errorcode.get(one.errcode, 'EUNKNOWN')}] "
            f"{one.attribute or 'ALL'}: {one.errmsg}"
            for one in self.errors
        )
        super().__init__("\n".join(lines))


class CallTimeout(ClientException):
    """No answer came in time."""

    def __init__(self) -> None:
        super().__init__("Call timeout", numbers.ETIMEDOUT)
