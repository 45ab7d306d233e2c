"""A registry in memory: OCI distribution specification 1.1, with what real ones do differently."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, cast

import httpx

from slipway.images.description import digest_of

_PATH: Final = re.compile(
    r"/v2/(?P<name>.+?)/(?:blobs/uploads/(?P<session>\d*)|blobs/(?P<blob>sha256:.+)"
    r"|manifests/(?P<manifest>.+))\Z"
)


@dataclass
class FakeRegistry(httpx.BaseTransport):
    """Answers requests of httpx.

    Attributes:
        login: user and password, by HTTP's basic scheme; None where anybody may do anything.
        resumes: an upload that broke off goes on; else one that has other bytes than its address
            says is forgotten, as by distribution 2.8.
        mounts: a repository can have a blob of another one.
        most: bytes of a request; more is answered with ``refuses``.
        refuses: 413, as by a proxy, or 416, as by GitHub's.
        cuts: for each request with bytes of a blob, after how many the connection breaks; None
            for never. When they have run out, none breaks.
        answers: for a method, what it is answered with instead, one after the other; an exception
            is raised.
        spoils: how many blobs turn into other bytes on their way.
        blobs: repository to digest to bytes.
        manifests: repository to digest or tag to bytes.
        asked: method and path of every request.
        taken: bytes of blobs that came.
    """

    login: tuple[str, str] | None = None
    resumes: bool = True
    mounts: bool = True
    most: int | None = None
    refuses: int = 413
    cuts: list[int | None] = field(default_factory=list)
    answers: dict[str, list[httpx.Response | Exception]] = field(default_factory=dict)
    spoils: int = 0
    blobs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    manifests: dict[str, dict[str, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    taken: int = 0
    _uploads: dict[str, bytearray] = field(default_factory=dict)
    _begun: int = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one; also by what a test has put before."""
        self.asked.append((request.method, request.url.path))
        if waiting := self.answers.get(request.method):
            answer = waiting.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if not self._may(request):
            return httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="fake"'})
        found = _PATH.match(request.url.path)
        if found is None:
            return httpx.Response(404)
        name = found["name"]
        if found["blob"]:
            has = self.blobs.get(name, {}).get(found["blob"])
            return httpx.Response(404 if has is None else 200, content=has or b"")
        if found["manifest"]:
            return self._manifest(request, name, found["manifest"])
        return self._upload(request, name, found["session"])

    def _may(self, request: httpx.Request) -> bool:
        if self.login is None:
            return True
        wanted = base64.b64encode(":".join(self.login).encode()).decode()
        shown: str | None = request.headers.get("Authorization")
        return shown == f"Basic {wanted}"

    def _manifest(self, request: httpx.Request, name: str, which: str) -> httpx.Response:
        held = self.manifests.setdefault(name, {})
        if request.method == "PUT":
            content = request.read()
            held[which] = held[digest_of(content)] = content
            return httpx.Response(201)
        if which not in held:
            return httpx.Response(404)
        digest = {"Docker-Content-Digest": digest_of(held[which])}
        return httpx.Response(200, headers=digest, content=held[which])

    def _upload(self, request: httpx.Request, name: str, session: str) -> httpx.Response:
        if request.method == "POST":
            return self._begin(request, name)
        if session not in self._uploads:
            return _error(404, "BLOB_UPLOAD_UNKNOWN")
        if not self.resumes and request.url.params["at"] != str(len(self._uploads[session])):
            del self._uploads[session]
            return _error(404, "BLOB_UPLOAD_INVALID")
        if request.method == "GET":
            return self._at(204, name, session)
        if request.method == "PUT":
            return self._closed(request, name, session)
        return self._patched(request, name, session)

    def _begin(self, request: httpx.Request, name: str) -> httpx.Response:
        digest, source = request.url.params.get("mount", ""), request.url.params.get("from", "")
        has = self.blobs.get(source, {}).get(digest)
        if self.mounts and has is not None:
            self.blobs.setdefault(name, {})[digest] = has
            return httpx.Response(201)
        self._begun += 1
        self._uploads[str(self._begun)] = bytearray()
        return self._at(202, name, str(self._begun))

    def _at(self, status: int, name: str, session: str) -> httpx.Response:
        count = len(self._uploads[session])
        where = f"/v2/{name}/blobs/uploads/{session}?at={count}"
        return httpx.Response(
            status, headers={"Location": where, "Range": f"0-{max(0, count - 1)}"}
        )

    def _patched(self, request: httpx.Request, name: str, session: str) -> httpx.Response:
        upload = self._uploads[session]
        start = int(request.headers.get("Content-Range", "0-").partition("-")[0])
        if start != len(upload):
            return httpx.Response(416)
        cut = self.cuts.pop(0) if self.cuts else None
        came = bytearray()
        for chunk in _until(iter(cast(httpx.SyncByteStream, request.stream)), cut, came):
            came += chunk
            if self.most is not None and len(came) > self.most:
                return httpx.Response(self.refuses)
        upload += came
        self.taken += len(came)
        if cut is not None:
            raise httpx.WriteError("Broken pipe")
        return self._at(202, name, session)

    def _closed(self, request: httpx.Request, name: str, session: str) -> httpx.Response:
        if self.spoils:
            self.spoils -= 1
            self._uploads[session][-1:] = b"?"
        content, digest = bytes(self._uploads[session]), request.url.params["digest"]
        if digest_of(content) != digest:
            return _error(400, "DIGEST_INVALID")
        del self._uploads[session]
        self.blobs.setdefault(name, {})[digest] = content
        return httpx.Response(201)


def _until(chunks: Iterator[bytes], cut: int | None, came: bytearray) -> Iterator[bytes]:
    """The chunks, up to where the connection breaks."""
    for chunk in chunks:
        if cut is None:
            yield chunk
            continue
        yield chunk[: max(0, cut - len(came))]
        if len(came) >= cut:
            return


def _error(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"errors": [{"code": code, "message": "as tests want it"}]})
