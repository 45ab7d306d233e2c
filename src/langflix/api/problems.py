"""Every error answer has one shape: ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from langflix import logs
from langflix.errors import AbsentError, InputError, MediaError, UnavailableError

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)

#: For FastAPI's ``responses=``: how an error is described in OpenAPI.
SCHEMA: dict[str, object] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}


class Problem(Exception):
    """Ends a request with a status and a sentence for its sender."""

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.detail = detail
        self.headers = headers
        super().__init__(detail)


def described(*statuses: HTTPStatus) -> dict[int | str, dict[str, object]]:
    """Return FastAPI's ``responses=`` for error answers with these statuses."""
    content = {MEDIA_TYPE: {"schema": SCHEMA}}
    return {int(status): {"description": status.phrase, "content": content} for status in statuses}


def answer(
    status: int, detail: str, headers: Mapping[str, str] | None = None, **more: object
) -> JSONResponse:
    """Return a problem as a response."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    if (identifier := logs.request_id.get()) is not None:
        body["request_id"] = identifier
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make ``app`` answer all errors as problems."""
    app.exception_handler(Problem)(_problem)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(RequestValidationError)(_validation)
    app.exception_handler(UnavailableError)(lambda _, error: unavailable(error))
    app.exception_handler(InputError)(_input)
    app.exception_handler(MediaError)(_media)
    app.exception_handler(Exception)(_defect)


def _problem(_: Request, error: Problem) -> JSONResponse:
    return answer(error.status, error.detail, error.headers)


def _http(_: Request, error: HTTPException) -> JSONResponse:
    return answer(error.status_code, str(error.detail), error.headers)


def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
    errors = [
        {"where": ".".join(str(part) for part in one["loc"]), "what": one["msg"]}
        for one in error.errors()
    ]
    detail = "; ".join(f"{one['where']}: {one['what']}" for one in errors)
    return answer(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


def unavailable(error: Exception) -> JSONResponse:
    """Return what is said while a service is away."""
    log.warning("a service is away", extra={"reason": str(error)})
    return answer(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"Retry-After": "5"})


def _input(_: Request, error: Exception) -> JSONResponse:
    absent = isinstance(error, AbsentError)
    status = HTTPStatus.NOT_FOUND if absent else HTTPStatus.UNPROCESSABLE_ENTITY
    return answer(status, str(error))


def _media(_: Request, error: Exception) -> JSONResponse:
    log.error("storage failed", extra={"reason": str(error)})
    return answer(HTTPStatus.INSUFFICIENT_STORAGE, str(error))


def _defect(_: Request, error: Exception) -> JSONResponse:
    log.error("request ended by a defect", exc_info=error)
    detail = "an unexpected error; the logs have its trace under this request_id"
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
