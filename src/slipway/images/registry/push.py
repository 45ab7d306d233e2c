"""Bring images into a registry: see what it has, send what it lacks, look afterwards.

Parts go first and manifests last, so that what can be pulled is always whole. A few parts go beside
each other; the first that fails ends the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final, TypeVar

import httpx

from slipway.images.description import MANIFEST_TYPE, digest_of
from slipway.images.registry.address import Registry, tag_of
from slipway.images.registry.client import Client, manifest_headers, repository_scope
from slipway.images.registry.decide import Held, Mounted, Pushing, Sent, blobs, decide
from slipway.images.registry.refused import changed
from slipway.images.registry.upload import Blob, Upload, is_there
from slipway.images.values import Image
from slipway.report import Progress

#: How many parts go beside each other. A line is full with few; each takes a processor, too.
BESIDE: Final = 3
_OK, _NOT_FOUND, _CREATED, _ACCEPTED = 200, 404, 201, 202

Work = TypeVar("Work")
Got = TypeVar("Got")


@dataclass(frozen=True, slots=True)
class Pushed:
    """How a push ended.

    Attributes:
        registry: where.
        images: which are there now, in the order they were given.
        done: what it took.
        wire: bytes of parts that went out, those that were sent again included.
    """

    registry: Registry
    images: tuple[Image, ...]
    done: Pushing
    wire: int


class Halted(Exception):
    """Another thread has failed: its error is the one to be told."""


class Pusher:
    """Asks a registry for images, and brings them there.

    Args:
        client: the registry.
        warn: told of what broke and goes on.
        halted: set when all work is to end; the client sleeps no longer than until then.
    """

    def __init__(
        self, client: Client, warn: Callable[[str], None], halted: threading.Event
    ) -> None:
        self._client, self._warn, self._halted = client, warn, halted
        self._registry = client.registry
        self._counting = threading.Lock()
        self._wire = 0

    def there(self, images: Sequence[Image]) -> Mapping[str, bool]:
        """Which images can be pulled, by reference.

        Raises:
            RegistryError: it can't be reached, or does not say.
        """
        found = self._beside(lambda image: self._has_manifest(image, "pull"), images)
        return {image.reference: has for image, has in zip(images, found, strict=True)}

    def look(self, images: Sequence[Image]) -> Pushing:
        """What of images is to be sent; nothing is.

        Raises:
            RegistryError: it can't be reached, or does not say.
        """
        found = self._beside(self._held, images)
        held = {image.reference: has for image, has in zip(images, found, strict=True)}
        return decide(images, self._registry, held)

    def push(self, images: Sequence[Image], todo: Pushing, progress: Progress) -> Pushed:
        """Send what is to be sent.

        Args:
            images: which are to be there then.
            todo: what :meth:`look` found.
            progress: counts bytes of parts.

        Raises:
            RegistryError: it refuses something, or broke off too often. What was sent stays.
            BuildError: a layer differs from its description.
        """
        self._beside(lambda one: self._send(one, progress), todo.sent)
        self._beside(lambda one: self._mount(one, progress), todo.mounted)
        for image in todo.named:
            self._name(image)
        return Pushed(self._registry, tuple(images), todo, self._wire)

    def _held(self, image: Image) -> Held:
        if self._has_manifest(image, "pull,push"):
            return Held(whole=True, tagged=self._is_tagged(image))
        name = self._registry.repository(image)
        scopes = repository_scope(name)
        has = (
            blob.digest
            for blob in blobs(image)
            if is_there(self._client, name, scopes, blob.digest, blob.what)
        )
        return Held(parts=frozenset(has))

    def _has_manifest(self, image: Image, may: str) -> bool:
        return self._manifest(image, image.manifest_digest, may).status_code == _OK

    def _is_tagged(self, image: Image) -> bool:
        answer = self._manifest(image, tag_of(image), "pull,push")
        said: str | None = answer.headers.get("Docker-Content-Digest")
        return said == image.manifest_digest

    def _manifest(self, image: Image, name: str, may: str) -> httpx.Response:
        repository = self._registry.repository(image)
        return self._client.ask(
            "HEAD", self._client.url(f"{repository}/manifests/{name}"),
            repository_scope(repository, last=may), f"the manifest of {repository}",
            fine=(_OK, _NOT_FOUND), headers=manifest_headers(),
        )  # fmt: skip

    def _send(self, one: Sent, progress: Progress) -> None:
        self._upload(one.repository, one.blob, progress, None)

    def _mount(self, one: Mounted, progress: Progress) -> None:
        """Have a part from another repository; where the registry does not do so, send it."""
        scopes = repository_scope(one.repository, one.source)
        url = self._client.url(f"{one.repository}/blobs/uploads/").copy_merge_params(
            {"mount": one.blob.digest, "from": one.source}
        )
        answer = self._client.ask(
            "POST", url, scopes, one.blob.what,
            fine=(_CREATED, _ACCEPTED), headers={"Content-Length": "0"},
        )  # fmt: skip
        if answer.status_code == _ACCEPTED:
            progress.expect(one.blob.size)
            self._upload(one.repository, one.blob, progress, self._client.onward(answer))

    def _upload(self, name: str, blob: Blob, progress: Progress, session: httpx.URL | None) -> None:
        def sent(count: int) -> None:
            if self._halted.is_set():
                raise Halted
            progress.advance(count, blob.what)

        upload = Upload(self._client, name, repository_scope(name), blob, sent, self._warn)
        try:
            upload.run(session)
        finally:
            with self._counting:
                self._wire += upload.wire

    def _name(self, image: Image) -> None:
        """Write an image's manifest under its tag, and see that it is there by its digest."""
        repository = self._registry.repository(image)
        what = f"the manifest of {repository}"
        scopes = repository_scope(repository)
        self._client.ask(
            "PUT", self._client.url(f"{repository}/manifests/{tag_of(image)}"), scopes, what,
            fine=(_CREATED, _ACCEPTED, _OK),
            headers={"Content-Type": MANIFEST_TYPE}, content=image.manifest,
        )  # fmt: skip
        answer = self._client.ask(
            "GET", self._client.url(f"{repository}/manifests/{image.manifest_digest}"),
            scopes, what, fine=(_OK, _NOT_FOUND), headers=manifest_headers(),
        )  # fmt: skip
        if answer.status_code != _OK or digest_of(answer.content) != image.manifest_digest:
            raise changed(self._registry, what)

    def _beside(self, work: Callable[[Work], Got], items: Iterable[Work]) -> list[Got]:
        """Work on a few things at a time; the first error ends all, and is raised."""
        self._halted.clear()

        def one(item: Work) -> Got:
            if self._halted.is_set():
                raise Halted
            try:
                return work(item)
            except BaseException:
                self._halted.set()
                raise

        with ThreadPoolExecutor(BESIDE, thread_name_prefix="slipway-push") as pool:
            begun = [pool.submit(one, item) for item in items]
            try:
                wait(begun)
            finally:
                self._halted.set()
        for failed in begun:
            if not isinstance(failed.exception(), Halted):
                failed.result()
        return [done.result() for done in begun]
