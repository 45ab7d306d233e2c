"""What an image is, as values: parsed once from nix2container's JSON, trusted afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Permission:
    """A rule that changes owner or mode of the paths it matches (nix2container's ``Perm``).

    Attributes:
        regex: Go regular expression, searched in the store path of the file.
        mode: octal permission bits, or empty to keep the store's.
        uid: user id to set.
        gid: group id to set.
        uname: user name to set, or empty to keep ``root``.
        gname: group name to set, or empty to keep ``root``; nix2container 1.0.0 writes ``uname``
            in its place, so the two should be equal.
    """

    regex: str
    mode: str = ""
    uid: int = 0
    gid: int = 0
    uname: str = ""
    gname: str = ""


@dataclass(frozen=True, slots=True)
class LayerPath:
    """A store path whose content goes into a layer.

    Attributes:
        path: the store path.
        strip: Go regular expression that ``replace`` takes the place of in each file's path.
        replace: the replacement.
        permissions: rules for owners and modes.
    """

    path: str
    strip: str = ""
    replace: str = ""
    permissions: tuple[Permission, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an image.

    Attributes:
        digest: ``sha256:…`` of the uncompressed tar; the OCI diff id is the same.
        bytes: size of that tar.
        title: what is in it, such as ``python`` or ``application``.
        paths: the store paths it is made from.
    """

    digest: str
    bytes: int
    title: str
    paths: tuple[LayerPath, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """An image, every digest known before a byte of it is written.

    Attributes:
        role: the role it was built for, such as ``api``.
        reference: ``name/role:tag``; the tag is the start of the config digest.
        config: the OCI image configuration, byte for byte.
        config_digest: ``sha256:…`` of ``config``; Docker's image id with a graph driver.
        manifest: the OCI manifest, byte for byte.
        manifest_digest: ``sha256:…`` of ``manifest``; Docker's image id with containerd.
        layers: bottom first.
    """

    role: str
    reference: str
    config: bytes
    config_digest: str
    manifest: bytes
    manifest_digest: str
    layers: tuple[Layer, ...]

    @property
    def bytes(self) -> int:
        """Unpacked size: the sum of its layers' tars."""
        return sum(layer.bytes for layer in self.layers)


@dataclass(frozen=True, slots=True)
class HeldImages:
    """What a host's Docker already has.

    Attributes:
        chains: for each image there, the diff ids of its layers, bottom first. A graph driver
            finds a layer only by the whole chain below it, so the order matters.
        references: reference to image id, for every tagged image.
    """

    chains: tuple[tuple[str, ...], ...] = ()
    references: dict[str, str] = field(default_factory=dict)
