"""The members of an image archive: at once an OCI image layout and a Docker archive.

``docker load`` reads ``manifest.json`` with a graph driver and ``index.json`` with the
containerd image store; both point at the same ``blobs/sha256/*``. Layers that the host has are
left out: a graph driver finds them by their chain, containerd by their digest. Formats: OCI
image layout 1.0.0, ``docker save`` (image archive 1.2), containerd's image name annotation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from slipway.images.description import MANIFEST_TYPE, canonical
from slipway.images.tarheader import DIRECTORY, END, FILE, Entry, header, padding
from slipway.images.values import Image, Layer

_INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
_BLOBS: Final = "blobs/sha256/"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the archive.

    Attributes:
        header: its tar header.
        content: its bytes, or the layer that makes them.
    """

    header: bytes
    content: bytes | Layer

    @property
    def size(self) -> int:
        """Bytes of the content."""
        return self.content.bytes if isinstance(self.content, Layer) else len(self.content)


def members(images: Sequence[Image], layers: Sequence[Layer]) -> tuple[Member, ...]:
    """What the archive of ``images`` holds, in its order, with only ``layers`` of them."""
    blobs: dict[str, bytes | Layer] = {}
    for image in images:
        blobs[image.manifest_digest] = image.manifest
        blobs[image.config_digest] = image.config
    blobs.update({layer.digest: layer for layer in layers})
    return (
        _member("oci-layout", canonical({"imageLayoutVersion": "1.0.0"})),
        _member("index.json", canonical(_index(images))),
        _member("manifest.json", canonical([_docker(image) for image in images])),
        Member(header(Entry(b"blobs/", DIRECTORY, 0o755)), b""),
        Member(header(Entry(_BLOBS.encode(), DIRECTORY, 0o755)), b""),
        *(_member(_blob(digest), content) for digest, content in blobs.items()),
    )


def size(images: Sequence[Image], layers: Sequence[Layer]) -> int:
    """Bytes of the whole archive; 0 when there are no images to send."""
    if not images:
        return 0
    return len(END) + sum(
        len(member.header) + member.size + padding(member.size)
        for member in members(images, layers)
    )


def _member(name: str, content: bytes | Layer) -> Member:
    length = content.bytes if isinstance(content, Layer) else len(content)
    return Member(header(Entry(name.encode(), FILE, 0o644, length)), content)


def _blob(digest: str) -> str:
    return _BLOBS + digest.removeprefix("sha256:")


def _index(images: Sequence[Image]) -> dict[str, object]:
    return {
        "manifests": [
            {
                "annotations": {
                    "io.containerd.image.name": full_name(image.reference),
                    "org.opencontainers.image.ref.name": image.reference.rpartition(":")[2],
                },
                "digest": image.manifest_digest,
                "mediaType": MANIFEST_TYPE,
                "size": len(image.manifest),
            }
            for image in images
        ],
        "mediaType": _INDEX_TYPE,
        "schemaVersion": 2,
    }


def _docker(image: Image) -> dict[str, object]:
    return {
        "Config": _blob(image.config_digest),
        "Layers": [_blob(layer.digest) for layer in image.layers],
        "RepoTags": [image.reference],
    }


def full_name(reference: str) -> str:
    """A reference as containerd stores it: with the registry that Docker leaves out."""
    first = reference.partition("/")[0]
    if "." in first or ":" in first or first == "localhost":
        return reference
    return f"docker.io/{reference}"
