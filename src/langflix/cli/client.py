"""Asks a LangFlix API; standard library only, so that it works wherever Python does."""

from __future__ import annotations

import argparse
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit

from langflix.errors import InputError, LangflixError, SettingsError, UnavailableError
from langflix.secret import Secret
from langflix.settings import Settings

TIMEOUT_S = 60.0
CHUNK = 256 * 1024
MAX_ANSWER = 16 * 1024 * 1024
#: Called with how many bytes of an upload are sent, and of how many.
Progress = Callable[[int, int], None]
STRANGER = "the address answers, but not as LangFlix does"


class ApiError(LangflixError):
    """The API refused; the message is its own."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        super().__init__(f"{detail} ({status})")


class Client:
    """Speaks to the API at ``url``; each request has a connection of its own."""

    def __init__(self, url: str, token: Secret | None = None) -> None:
        self._parts = urlsplit(_address(url))
        self._url = url
        self._headers = bearer(token)

    @classmethod
    def of(cls, arguments: argparse.Namespace, environ: Mapping[str, str]) -> Client:
        """Return the client that ``--url`` and the environment describe; raises SettingsError."""
        settings = Settings.from_env(environ)
        return cls(arguments.url or settings.url, settings.api_token)

    def get(
        self,
        path: str,
        query: Mapping[str, object] | None = None,
        also: tuple[int, ...] = (),
    ) -> Any:
        """Return what a path answers; a status in ``also`` is an answer too.

        Raises:
            ApiError: the API refused.
            UnavailableError: nobody answers, or somebody else.

        """
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, also=also)

    def post(self, path: str, body: object = None, key: str | None = None) -> Any:
        """Send JSON, or nothing, and return the answer; raises as :meth:`get` does."""
        headers = {"Idempotency-Key": key} if key else {}
        if body is None:
            return self._ask("POST", path, headers=headers)
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
        return self._ask("POST", path, [data], headers, len(data))

    def delete(self, path: str) -> Any:
        """Delete; raises as :meth:`get` does."""
        return self._ask("DELETE", path)

    def upload(
        self,
        path: str,
        files: Mapping[str, Path],
        texts: Mapping[str, str],
        progress: Progress,
        key: str | None = None,
    ) -> Any:
        """Send a form with files, reading them as it goes; raises as :meth:`get` does."""
        boundary = secrets.token_hex(16)
        parts = _Form(boundary, files, texts)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Idempotency-Key": key or secrets.token_hex(16),
        }
        return self._ask("POST", path, parts.chunks(progress), headers, parts.length)

    @contextmanager
    def stream(
        self, path: str, headers: Mapping[str, str], silence_s: float = TIMEOUT_S
    ) -> Iterator[Stream]:
        """Give an answer whose body is read as it comes; raises as :meth:`get` does.

        Args:
            path: what is asked for.
            headers: beside the client's own.
            silence_s: seconds without a byte after which the connection counts as broken.

        """
        sent = {**self._headers, "Accept-Encoding": "identity", **headers}
        connection = self._connection(silence_s)
        try:
            with self._telling():
                connection.request("GET", self._target(path), headers=sent)
                answer = connection.getresponse()
            with answer:  # it holds the socket when the connection does not
                with self._telling():
                    if answer.status >= 400:
                        _parsed(answer, answer.read(MAX_ANSWER))
                yield Stream(answer, self._telling)
        finally:
            connection.close()

    def _ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        length: int = 0,
        also: tuple[int, ...] = (),
    ) -> Any:
        connection = self._connection()
        sent = {**self._headers, **(headers or {}), "Content-Length": str(length)}
        try:
            with self._telling():
                # Refused before all was sent: the answer says why.
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.request(method, self._target(path), body, sent)
                answer = connection.getresponse()
                return _parsed(answer, answer.read(MAX_ANSWER), also)
        finally:
            connection.close()

    def _connection(self, timeout_s: float = TIMEOUT_S) -> HTTPConnection:
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        return kind(self._parts.hostname or "", self._parts.port, timeout=timeout_s)

    def _target(self, path: str) -> str:
        return self._parts.path.rstrip("/") + path

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (OSError, HTTPException) as error:
            raise UnavailableError(f"{self._url} does not answer: {error}") from error


def bearer(token: Secret | None) -> dict[str, str]:
    """Return the header that shows the API's token, if there is one to show."""
    return {"Authorization": f"Bearer {token.reveal()}"} if token else {}


def unproxied() -> dict[str, Any]:
    """What httpx's clients are told: no proxy and no password of the environment.

    Who vouches for a server is of the environment, though: a stack with an authority of its own is
    believed by SSL_CERT_FILE, a file of certificates, in place of the known ones.
    """
    import httpx

    return {"trust_env": False, "verify": httpx.create_ssl_context()}


class Stream:
    """An answer whose body has not been read; the names in ``headers`` are in small letters."""

    def __init__(
        self, answer: HTTPResponse, telling: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._answer = answer
        self._telling = telling
        self.status = answer.status
        self.headers = {name.lower(): value for name, value in answer.getheaders()}

    def chunks(self) -> Iterator[bytes]:
        """Give the body as it comes; raises UnavailableError when the connection breaks."""
        while True:
            with self._telling():
                chunk = self._answer.read1(CHUNK)
            if not chunk:
                return
            yield chunk


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
        sent, total = 0, sum(self._sizes)
        yield self._texts
        for (head, path), size in zip(self._files, self._sizes, strict=True):
            yield head
            left = size
            with _opened(path) as file:
                while left > 0 and (chunk := file.read(min(CHUNK, left))):
                    left -= len(chunk)
                    sent += len(chunk)
                    yield chunk
                    progress(sent, total)
            if left:
                raise InputError(f"{path} got shorter while it was sent")
            yield b"\r\n"
        yield self._end


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _quoted(name: str) -> str:
    return name.replace("\\", "_").replace('"', "_").replace("\r", "_").replace("\n", "_")


def _address(url: str) -> str:
    """Return ``url`` when it is one that can be asked; raises SettingsError."""
    try:
        parts = urlsplit(url)
        told = url.isascii() and url.isprintable() and bool(parts.hostname) and parts.port != 0
        good = parts.scheme in ("http", "https") and told
    except ValueError:
        good = False
    if not good:
        wanted = "must be an address like http://host:8080"
        raise SettingsError([f"--url or LANGFLIX_URL {wanted}, got {url!r}"])
    return url


def _parsed(answer: HTTPResponse, body: bytes, also: tuple[int, ...] = ()) -> Any:
    fine = answer.status < 400 or answer.status in also
    try:
        value = json.loads(body) if body else None
    except ValueError:
        value = None
        if fine:
            raise UnavailableError(STRANGER) from None
    if not fine:
        detail = value.get("detail") if isinstance(value, dict) else None
        raise ApiError(answer.status, str(detail or answer.reason))
    return value
