"""Asks a LangFlix API; standard library only, so that it works wherever Python does."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from langflix.errors import InputError, LangflixError, SettingsError, UnavailableError
from langflix.secret import Secret

TIMEOUT_S = 60
CHUNK = 256 * 1024
MAX_ANSWER = 16 * 1024 * 1024
#: Called with how much of an upload is sent, in per cent.
Progress = Callable[[int], None]


class ApiError(LangflixError):
    """The API refused; the message is its own."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        super().__init__(f"{detail} ({status})")


class Client:
    """Speaks to the API at ``url``; each request has a connection of its own."""

    def __init__(self, url: str, token: Secret | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError([f"--url must be an address like http://host:8080, got {url!r}"])
        self._url = url
        self._parts = parts
        self._headers = {"Authorization": f"Bearer {token.reveal()}"} if token else {}

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Any:
        """Return what a path answers; raises ApiError or UnavailableError."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: object = None) -> Any:
        """Send JSON, or nothing, and return the answer; raises as :meth:`get` does."""
        if body is None:
            return self._ask("POST", path)
        data = json.dumps(body).encode()
        return self._ask("POST", path, [data], {"Content-Type": "application/json"}, len(data))

    def delete(self, path: str) -> Any:
        """Delete; raises as :meth:`get` does."""
        return self._ask("DELETE", path)

    def upload(
        self,
        path: str,
        files: Mapping[str, Path],
        texts: Mapping[str, str],
        progress: Progress,
    ) -> Any:
        """Send a form with files, reading them as it goes; raises as :meth:`get` does."""
        boundary = secrets.token_hex(16)
        parts = _Form(boundary, files, texts)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Idempotency-Key": secrets.token_hex(16),
        }
        return self._ask("POST", path, parts.chunks(progress), headers, parts.length)

    def _ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        length: int = 0,
    ) -> Any:
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=TIMEOUT_S)
        sent = {**self._headers, **(headers or {}), "Content-Length": str(length)}
        try:
            # Refused before all was sent: the answer says why.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, self._parts.path.rstrip("/") + path, body, sent)
            answer = connection.getresponse()
            return _parsed(answer, answer.read(MAX_ANSWER))
        except (OSError, HTTPException) as error:
            raise UnavailableError(f"{self._url} does not answer: {error}") from error
        finally:
            connection.close()


class _Form:
    def __init__(self, boundary: str, files: Mapping[str, Path], texts: Mapping[str, str]) -> None:
        head = f"--{boundary}\r\nContent-Disposition: form-data; name="
        self._texts = b"".join(
            f'{head}"{name}"\r\n\r\n{text}\r\n'.encode() for name, text in texts.items()
        )
        self._files = [
            (f'{head}"{name}"; filename="{_quoted(path.name)}"\r\n\r\n'.encode(), path)
            for name, path in files.items()
        ]
        self._end = f"--{boundary}--\r\n".encode()
        self._sizes = [path.stat().st_size for path in files.values()]
        heads = sum(len(one) + 2 for one, _ in self._files)
        self.length = len(self._texts) + heads + sum(self._sizes) + len(self._end)

    def chunks(self, progress: Progress) -> Iterator[bytes]:
        sent = 0
        yield self._texts
        for (head, path), size in zip(self._files, self._sizes, strict=True):
            yield head
            left = size
            with path.open("rb") as file:
                while left > 0 and (chunk := file.read(min(CHUNK, left))):
                    left -= len(chunk)
                    sent += len(chunk)
                    yield chunk
                    progress(100 * sent // max(1, sum(self._sizes)))
            if left:
                raise InputError(f"{path} got shorter while it was sent")
            yield b"\r\n"
        yield self._end


def _quoted(name: str) -> str:
    return name.replace("\\", "_").replace('"', "_").replace("\r", "_").replace("\n", "_")


def _parsed(answer: HTTPResponse, body: bytes) -> Any:
    try:
        value = json.loads(body) if body else None
    except ValueError:
        value = None
        if answer.status < 400:
            raise UnavailableError("the address answers, but not as LangFlix does") from None
    if answer.status >= 400:
        detail = value.get("detail") if isinstance(value, dict) else None
        raise ApiError(answer.status, str(detail or answer.reason))
    return value
