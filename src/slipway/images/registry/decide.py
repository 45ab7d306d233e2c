"""What of some images a registry lacks, and by which way each part gets there. Pure.

A part is a layer or a configuration. One that several images have is sent to one repository only;
the others of the same registry mount it from there (OCI distribution specification 1.1, "Mounting a
blob from another repository").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from slipway.images.layers import stream
from slipway.images.registry.address import Registry
from slipway.images.registry.upload import Blob
from slipway.images.values import Image


@dataclass(frozen=True, slots=True)
class Held:
    """What a registry has of one image.

    Attributes:
        whole: whether its manifest, and so all of it, is there.
        tagged: whether its tag means that manifest.
        parts: digests of the parts that its repository has; empty where ``whole``.
    """

    whole: bool = False
    tagged: bool = False
    parts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sent:
    """A part that has to be sent.

    Attributes:
        repository: to where.
        blob: what.
    """

    repository: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class Mounted:
    """A part that one repository is to have from another.

    Attributes:
        repository: which one.
        source: the other.
        blob: what; it is sent where the registry does not do so.
    """

    repository: str
    source: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class Pushing:
    """All that a registry is to be given.

    Attributes:
        sent: parts, each once.
        mounted: parts that are there then.
        named: images whose manifest or tag is to be written, when all parts are there.
    """

    sent: tuple[Sent, ...] = ()
    mounted: tuple[Mounted, ...] = ()
    named: tuple[Image, ...] = ()

    @property
    def bytes(self) -> int:
        """How many bytes of parts go there."""
        return sum(one.blob.size for one in self.sent)


def decide(images: Sequence[Image], registry: Registry, held: Mapping[str, Held]) -> Pushing:
    """What is to be done for a registry to have all of these images.

    Args:
        images: which.
        registry: where.
        held: what it has, by an image's reference.
    """
    lacking = [image for image in images if not held[image.reference].whole]
    where: dict[str, str] = {}
    for image in images:
        has = held[image.reference]
        parts = (blob.digest for blob in blobs(image)) if has.whole else has.parts
        for digest in parts:
            where.setdefault(digest, registry.repository(image))
    sent: list[Sent] = []
    mounted: list[Mounted] = []
    for image in lacking:
        repository = registry.repository(image)
        for blob in blobs(image):
            if blob.digest in held[image.reference].parts:
                continue
            if blob.digest in where:
                mounted.append(Mounted(repository, where[blob.digest], blob))
            else:
                where[blob.digest] = repository
                sent.append(Sent(repository, blob))
    # The largest first: they take longest, and the others go beside them.
    sent.sort(key=lambda one: -one.blob.size)
    return Pushing(
        tuple(sent),
        tuple(mounted),
        tuple(image for image in images if not held[image.reference].tagged),
    )


def blobs(image: Image) -> Iterator[Blob]:
    """The parts of an image, its configuration last; a layer that it has twice comes once."""
    name = image.reference.rpartition(":")[0]
    for layer in dict.fromkeys(image.layers):
        what = f"the layer {layer.title} of {name}"
        yield Blob(layer.digest, layer.bytes, what, partial(stream, layer))
    content = image.config
    what = f"the configuration of {name}"
    yield Blob(image.config_digest, len(content), what, lambda: iter((content,)))
