"""JSON-RPC 2.0 at ``/api/current``, from 25.04 on.

Source: ``api/base/server/ws_handler/rpc.py`` and ``api/base/server/method.py`` of the middleware.
"""

from __future__ import annotations

import functools
from typing import Any

from .errors import data_of, problems_of
from .jobs import Job
from .middleware import Method
from .session import AT_MOST, Session, TooMany, number_of, parse

INVALID_JSON = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
TOO_MANY = -32000
CALL_ERROR = -32001
_NO_ANSWER = object()


def refusal(message: dict[str, Any]) -> str | None:
    """Why a message is no request; None when it is one. Pure."""
    if message.get("jsonrpc") != "2.0":
        missing = "jsonrpc" not in message
        rule = "'jsonrpc' member must be of type string and must be exactly '2.0'"
        return "Missing 'jsonrpc' member" if missing else rule
    if not isinstance(message.get("id"), int | str | None):
        return "'id' member must be of type null, string or number"
    if "method" not in message:
        return "Missing 'method' member"
    if not isinstance(message["method"], str) or not message["method"]:
        return "'method' member must be of type string"
    if not isinstance(message.get("params", []), list):
        return "'params' member must be of type array"
    return None


class RpcSession(Session):
    """A client that speaks JSON-RPC.

    Attributes:
        options: what ``core.set_options`` sets.
    """

    options: dict[str, bool]

    def receive(self, text: str) -> None:
        """A request."""
        try:
            message = parse(text, self.person is not None)
        except ValueError as error:
            self._refuse(None, INVALID_JSON, str(error))
            return
        number = message.get("id", _NO_ANSWER)
        if (why := refusal(message)) is not None:
            self._refuse(number, INVALID_REQUEST, why)
            return
        method = self.middleware.methods.get(message["method"])
        if method is None:
            self._refuse(number, METHOD_NOT_FOUND, "Method does not exist")
            return
        work = functools.partial(self._answer, number, method, message.get("params", []))
        try:
            self.aside(work)
        except TooMany:
            text = f"Maximum number of concurrent calls ({AT_MOST}) has exceeded"
            self._refuse(number, TOO_MANY, text)

    def send_event(self, event: dict[str, Any]) -> None:
        """Send an event as a notification."""
        self.send({"jsonrpc": "2.0", "method": "collection_update", "params": event})

    def _answer(self, number: object, method: Method, params: list[Any]) -> None:
        message = None if number is _NO_ANSWER else number
        try:
            result = self.begin(method, params, message)
            if isinstance(result, Job) and not self.options["legacy_jobs"]:
                result = result.wait()
        except Exception as error:
            wrong = problems_of(error) is not None
            text = "Invalid params" if wrong else "Method call error"
            self._refuse(number, INVALID_PARAMS if wrong else CALL_ERROR, text, data_of(error))
            return
        if number is not _NO_ANSWER:
            self.send({"jsonrpc": "2.0", "result": number_of(result), "id": number})

    def _refuse(self, number: object, code: int, text: str, data: object = None) -> None:
        if number is _NO_ANSWER:
            return
        error: dict[str, Any] = {"code": code, "message": text}
        if data is not None:
            error["data"] = data
        self.send({"jsonrpc": "2.0", "error": error, "id": number})
