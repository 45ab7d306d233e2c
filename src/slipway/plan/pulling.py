"""What a host gets from a registry by itself, instead of over SSH. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class PulledImage:
    """An image that a host has from a registry.

    Attributes:
        reference: its name on the host, such as ``langflix/api:0123abcd``.
        source: where it comes from, by digest: ``registry.lan/langflix/api@sha256:…``.
    """

    reference: str
    source: str

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {"reference": self.reference, "source": self.source}


@dataclass(frozen=True, slots=True)
class Pull:
    """Have the host get images from a registry. The login is in no action: see the run's request.

    Attributes:
        images: those that it lacks.
        bytes: of their layers that no image there has.
    """

    where: ClassVar[str] = "host"
    images: tuple[PulledImage, ...]
    bytes: int

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "pull",
            "where": self.where,
            "images": [one.to_json() for one in self.images],
            "bytes": self.bytes,
        }


@dataclass(frozen=True, slots=True)
class Pulling:
    """What a plan says of it.

    Attributes:
        registry: where from, such as ``registry.lan:5000/home``.
        images: how many the host gets there.
        bytes: of their layers that no image on the host has.
    """

    registry: str
    images: int
    bytes: int

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {"registry": self.registry, "images": self.images, "bytes": self.bytes}
