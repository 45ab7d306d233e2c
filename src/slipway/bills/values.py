"""What an image is made of, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass

DEB = "deb"
WHEEL = "pypi"
GO = "golang"


@dataclass(frozen=True, slots=True)
class Component:
    """Something somebody else, or we, made, in an image.

    Attributes:
        kind: the type of its package URL: ``deb``, ``pypi``, ``golang``, ``cargo``, ``npm``,
            ``rpm``, ``generic``.
        name: as its makers call it.
        version: empty where neither its bytes nor its makers tell it.
        purl: its package URL (package-url specification).
        licences: what its makers say, SPDX identifiers or expressions where these are known.
        sha256: hex, of the locked file that brings it; empty for what is inside such a file.
        source: Debian's source package with its version, ``name version``; empty for others.
        places: paths in the image, or the one that it was found by.
        carrier: package URL of what it came inside of; empty for what stands for itself. Scanners
            of images see no component that has one.
        evidence: how its version is known, when it has a carrier.
    """

    kind: str
    name: str
    version: str
    purl: str
    licences: tuple[str, ...] = ()
    sha256: str = ""
    source: str = ""
    places: tuple[str, ...] = ()
    carrier: str = ""
    evidence: str = ""

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Bill:
    """What one image is made of.

    Attributes:
        role: the image's role.
        reference: its name and tag.
        digest: of its manifest, ``sha256:…``.
        components: sorted by kind, name and version.
    """

    role: str
    reference: str
    digest: str
    components: tuple[Component, ...]

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return {
            "role": self.role,
            "reference": self.reference,
            "digest": self.digest,
            "components": [component.to_json() for component in self.components],
        }
