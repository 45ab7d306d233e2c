"""Build images with Nix and read their descriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from slipway.config import Config
from slipway.doors import Shell
from slipway.errors import BuildError
from slipway.images.description import parse
from slipway.images.values import Image
from slipway.supply.outputs import SYSTEM, rebuild


def build_again(
    shell: Shell,
    root: Path,
    settings: Config,
    images: Sequence[Image],
    *,
    watch: Callable[[str], None] | None = None,
) -> None:
    """Build each image and layer a second time and compare.

    Raises:
        BuildError: a second build gave other bytes, or Nix failed.
    """
    rebuild(shell, root, settings, _all_attributes(images), watch=watch)


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
