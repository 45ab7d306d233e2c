"""Build images with Nix and read their descriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from slipway.config import Config
from slipway.doors import Shell
from slipway.errors import BuildError
from slipway.images.description import parse
from slipway.images.values import Image
from slipway.supply.outputs import SYSTEM, outputs
from slipway.supply.outputs import rebuild as build_again


def build(
    shell: Shell,
    root: Path,
    settings: Config,
    roles: Sequence[str],
    *,
    rebuild: bool = False,
    prepare: Callable[[], object] | None = None,
    watch: Callable[[str], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> tuple[Image, ...]:
    """Build the images of ``roles`` in one run of Nix.

    Args:
        shell: where Nix and git run.
        root: the checkout.
        settings: its ``slipway.toml``; references of images start with its application.
        roles: each has an attribute ``ROLE-image``.
        rebuild: build each image and layer again afterwards and compare.
        prepare, watch, warn: as for :func:`slipway.supply.outputs.outputs`.

    Returns:
        The images in the order of ``roles``.

    Raises:
        SupplyError: git can't read the checkout, or a file can't be read.
        BuildError: Nix failed, an input is missing, a second build gave other bytes, or a
            description can't be used.
    """
    names = [image_attribute(role) for role in roles]
    paths = outputs(shell, root, settings, names, prepare=prepare, watch=watch, warn=warn)
    images = read_images(paths, settings.application, roles)
    if rebuild:
        build_again(shell, root, settings, _all_attributes(images), watch=watch)
    return images


def image_attribute(role: str) -> str:
    """The package of ``nix/`` that is a role's image."""
    return f"{role}-image"


def read_images(
    paths: Mapping[str, Path], application: str, roles: Sequence[str]
) -> tuple[Image, ...]:
    """The images of ``roles`` from what was built.

    Args:
        paths: attribute to store path, with :func:`image_attribute` of each role.
        application: first part of the images' references.

    Raises:
        BuildError: a description can't be read or can't be used.
    """
    return tuple(_read(paths[image_attribute(role)], application, role) for role in roles)


def _all_attributes(images: Sequence[Image]) -> list[str]:
    """Tree and description of every layer, and the images; what roles share is built once."""
    layers = [f"{image.role}-{layer.title}" for image in images for layer in image.layers]
    return [
        *(f"layers.{SYSTEM}.{name}{part}" for name in layers for part in ("", "-json")),
        *(f"packages.{SYSTEM}.{image_attribute(image.role)}" for image in images),
    ]


def _read(path: Path, application: str, role: str) -> Image:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BuildError(
            f"{path}, just built, can't be read: {error.strerror}", stage="build"
        ) from error
    return parse(text, application=application, role=role, file=str(path))
