"""A registry's address, and what images are called there. Pure.

A reference's grammar is that of Docker and the OCI distribution specification 1.1: a first part
with a dot or a colon, or ``localhost``, is a server; the rest are small letters, digits and single
separators.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from slipway.images.values import Image

_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?\Z"
)
_PART: Final = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*\Z")
_HUB: Final = ("docker.io", "index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True, slots=True)
class Registry:
    """Where images are kept.

    Attributes:
        host: server and port as references have them, such as ``registry.lan:5000``.
        folder: what comes before an image's own name there, such as ``home``; may be empty.
        plain: whether it is spoken to without TLS.
    """

    host: str
    folder: str = ""
    plain: bool = False

    @property
    def url(self) -> str:
        """The beginning of its URLs."""
        return f"{'http' if self.plain else 'https'}://{self.host}"

    def repository(self, image: Image) -> str:
        """What an image is called there, without the server and without a tag."""
        name, known, _ = image.reference.partition("@")
        if known:  # so a host calls it that pulls it and may give it no name of its own
            return name.removeprefix(f"{self.host}/")
        name = image.reference.rpartition(":")[0]
        return f"{self.folder}/{name}" if self.folder else name

    def pinned(self, image: Image) -> str:
        """The reference by which an image is pulled: by digest, so that it can be no other."""
        return f"{self.host}/{self.repository(image)}@{image.manifest_digest}"

    def tagged(self, image: Image) -> str:
        """The reference that people know it by."""
        return f"{self.host}/{self.repository(image)}:{tag_of(image)}"

    def __str__(self) -> str:
        return f"{self.host}/{self.folder}" if self.folder else self.host


def parse_registry(text: str) -> Registry:
    """Read an address: ``[http://|https://]HOST[:PORT][/FOLDER…]``.

    Without a scheme it is https, and http for a loopback address, as Docker has it.

    Raises:
        ValueError: it is none; the text says why.
    """
    scheme, there, rest = text.rpartition("://")
    if there and scheme not in ("http", "https"):
        raise ValueError(f"should begin with a server or https://, got {text!r}")
    host, _, folder = rest.partition("/")
    if not _HOST.match(host) or not (set(".:[") & set(host) or host == "localhost"):
        raise ValueError(
            "should be a server, and folders after it, such as registry.lan:5000/home, "
            f"got {text!r}"
        )
    if host in _HUB:
        raise ValueError(
            "can't be Docker Hub: names there have two parts, and images' here have more"
        )
    for part in folder.rstrip("/").split("/") if folder else ():
        if not _PART.match(part):
            raise ValueError(
                "should have folders of a-z and 0-9 with single ., _ or - between, without a tag, "
                f"got {text!r}"
            )
    plain = scheme == "http" or (not there and is_loopback(host))
    return Registry(host, folder.rstrip("/"), plain)


def is_loopback(host: str) -> bool:
    """Whether a server, perhaps with a port, is this machine by its very name."""
    name = host.rpartition("]")[0].lstrip("[") or host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def tag_of(image: Image) -> str:
    """The tag an image has by its content."""
    return image.reference.rpartition(":")[2]
