"""One blob's way into a registry: streamed, and taken up again where it broke off.

A layer goes in one request, as Docker sends it, since that is what every registry takes; its bytes
are made from the Nix store while they are sent. What refuses so much at once (413; GitHub's
registry 416 beyond 4 MiB with a range) gets pieces. After a break the registry says how much it
has, and the rest is sent. Where it knows nothing any more, or has other bytes, the blob begins
anew: distribution 2.8, Debian's ``docker-registry``, forgets an upload that broke off in the middle
of a request ("upload resumed at wrong offset" in its log).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import httpx

from slipway.errors import RegistryError
from slipway.images.registry.access import Scopes
from slipway.images.registry.client import PAUSES_S, Ask, Client, Passing

#: Just below what GitHub's registry takes in one request.
PIECE_BYTES: Final = 4_000_000
#: However much a registry takes and loses again, it ends.
_TRIES: Final = 40
_TOO_MUCH: Final = ("large", "range")
#: What a further try, from where the registry then is, may mend.
_AGAIN: Final = ("range", "upload-lost", "digest")
_OK, _NO_CONTENT, _CREATED, _ACCEPTED, _NOT_FOUND = 200, 204, 201, 202, 404


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that a registry is to hold.

    Attributes:
        digest: ``sha256:…``.
        size: how many.
        what: for people, such as ``the layer python``.
        open: makes them, from the first on.
    """

    digest: str
    size: int
    what: str
    open: Callable[[], Iterator[bytes]]


class Source:
    """A blob's bytes from any place on; what comes in order is made once."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._chunks: Iterator[bytes] = iter(())
        self._left = b""
        self._at = -1

    def between(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``end``, in chunks."""
        if start != self._at:
            self._chunks, self._left, self._at = self._blob.open(), b"", 0
            for _ in self._taken(start):
                pass
        yield from self._taken(end)

    def _taken(self, end: int) -> Iterator[bytes]:
        while self._at < end:
            chunk = self._left or next(self._chunks)
            part, self._left = chunk[: end - self._at], chunk[end - self._at :]
            self._at += len(part)
            yield part


@dataclass
class Upload:
    """Sends one blob.

    Attributes:
        client: to where.
        name: the repository.
        scopes: what that takes of a token.
        blob: what.
        sent: told of bytes that went out for the first time.
        warn: told of a break.
        most: bytes of one request; None for all of them, until the registry refuses that.
        wire: bytes that were handed to connections, those that were sent again included.
    """

    client: Client
    name: str
    scopes: Scopes
    blob: Blob
    sent: Callable[[int], None]
    warn: Callable[[str], None]
    most: int | None = None
    wire: int = 0
    _best: int = 0
    _session: httpx.URL | None = None
    _source: Source = field(init=False)

    def __post_init__(self) -> None:
        self._source = Source(self.blob)

    def run(self, session: httpx.URL | None = None) -> None:
        """Send it.

        Args:
            session: of an upload that was begun already; None to begin one.

        Raises:
            RegistryError: it is refused, or broke off too often with nothing gained.
            BuildError: a layer differs from its description.
        """
        self._session = session
        pauses, gained, offset = iter(PAUSES_S), 0, 0
        for _ in range(_TRIES):
            try:
                if self._session is None:
                    self._session, offset = self._begun(), 0
                self._finish(self._feed(self._session, offset))
                break
            except Passing as passing:
                last = passing
            pause = next(pauses, None)
            if pause is None:
                raise last.error from last
            self.warn(f"{last.error.message.partition(';')[0]}; going on in {pause:g} s")
            self.client.sleep(max(pause, last.wait_s))
            self._session, offset = self._left(last.error)
            if self._session is None and self._is_there():
                break
            if offset > gained:
                pauses, gained = iter(PAUSES_S), offset
        else:
            raise last.error from last
        self.sent(self.blob.size - self._best)

    def _begun(self) -> httpx.URL:
        answer = self.client.ask(
            "POST", self.client.url(f"{self.name}/blobs/uploads/"), self.scopes, self.blob.what,
            fine=(_ACCEPTED,), headers={"Content-Length": "0"},
        )  # fmt: skip
        return self.client.onward(answer)

    def _left(self, error: RegistryError) -> tuple[httpx.URL | None, int]:
        """What is left of a session after an error, and how much of the blob it has.

        No session when the registry forgot it, or what it has is wrong.
        """
        session = self._session
        if session is None or error.cause == "digest":
            return None, 0
        try:
            answer = self.client.ask(
                "GET", session, self.scopes, self.blob.what,
                fine=(_NO_CONTENT, _OK, _ACCEPTED, _NOT_FOUND),
            )  # fmt: skip
        except RegistryError as refusal:
            if refusal.cause not in ("refused-request", *_AGAIN):
                raise
            return None, 0  # a session that a restarted registry can't read any more
        has = _has(answer)
        if answer.status_code == _NOT_FOUND or has > self.blob.size:
            return None, 0
        return (self.client.onward(answer) if "Location" in answer.headers else session), has

    def _is_there(self) -> bool:
        """Whether the registry has the blob: the answer to the last request may have been lost."""
        return is_there(self.client, self.name, self.scopes, self.blob.digest, self.blob.what)

    def _feed(self, session: httpx.URL, offset: int) -> httpx.URL:
        """Send everything from ``offset`` on; gives the session as it is then."""
        while offset < self.blob.size:
            end = self.blob.size if self.most is None else min(offset + self.most, self.blob.size)
            try:
                answer = self._once(self._piece(session, offset, end))
            except RegistryError as error:
                if self.most is not None or error.cause not in _TOO_MUCH:
                    raise
                self.most = PIECE_BYTES
                raise Passing(error) from error
            # The next request goes to where this answer leads, also after a break.
            session, offset = self.client.onward(answer), end
            self._session = session
        return session

    def _once(self, one: Ask) -> httpx.Response:
        """Ask; what a further try may mend is such a thing, too."""
        try:
            return self.client.once(one)
        except RegistryError as error:
            if error.cause not in _AGAIN or (error.cause == "range" and self.most is None):
                raise
            raise Passing(error) from error

    def _piece(self, session: httpx.URL, start: int, end: int) -> Ask:
        headers = {"Content-Type": "application/octet-stream"}
        if (start, end) != (0, self.blob.size):
            headers |= {"Content-Range": f"{start}-{end - 1}", "Content-Length": f"{end - start}"}
        return Ask(
            "PATCH", session, self.scopes, self.blob.what, (_ACCEPTED, _CREATED, _NO_CONTENT),
            headers, lambda: self._counted(start, end),
        )  # fmt: skip

    def _counted(self, start: int, end: int) -> Iterator[bytes]:
        at = start
        for chunk in self._source.between(start, end):
            # Before it is handed over: what a broken connection took has gone out, too.
            at += len(chunk)
            self.wire += len(chunk)
            if at > self._best:
                self.sent(at - self._best)
                self._best = at
            yield chunk

    def _finish(self, session: httpx.URL) -> None:
        """Have the blob be one; other bytes than ours are thrown away by the registry, and here."""
        url = session.copy_merge_params({"digest": self.blob.digest})
        one = Ask("PUT", url, self.scopes, self.blob.what, (_CREATED, _NO_CONTENT, _ACCEPTED),
                  {"Content-Length": "0"})  # fmt: skip
        self._once(one)


def is_there(client: Client, name: str, scopes: Scopes, digest: str, what: str) -> bool:
    """Whether a repository has a blob.

    Raises:
        RegistryError: it does not say.
    """
    answer = client.ask(
        "HEAD", client.url(f"{name}/blobs/{digest}"), scopes, what, fine=(_OK, _NOT_FOUND)
    )
    return answer.status_code == _OK


def _has(answer: httpx.Response) -> int:
    """How many bytes a session has: ``Range: 0-N`` holds the last one's number.

    An empty one says ``0-0`` as one of a single byte does, which is sent again then.
    """
    _, _, last = answer.headers.get("Range", "").rpartition("-")
    return int(last) + 1 if last.isdigit() and int(last) else 0
