"""Build images with Nix and read their descriptions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from slipway.architecture import AMD64
from slipway.doors import Completed, Shell
from slipway.errors import BuildError, CommandFailed
from slipway.images.description import parse
from slipway.images.values import Image

_NIX: Final = ("nix", "--extra-experimental-features", "nix-command flakes", "build", "--no-link")
_PACKAGES: Final = f".#packages.{AMD64.nix}."
_LAYERS: Final = f".#layers.{AMD64.nix}."
_TIMEOUT_S: Final = 7200.0
_LOG_LINES: Final = 25
_HASH_LENGTH: Final = 33
_MISSING: Final = re.compile(r"error: (.*\./inv fetch.*)")
_DIFFERS: Final = re.compile(r"error: (derivation .* may not be deterministic.*)")


def build(
    shell: Shell,
    application: str,
    roles: Sequence[str],
    *,
    root: Path,
    rebuild: bool = False,
    watch: Callable[[str], None] | None = None,
) -> tuple[Image, ...]:
    """Build the images of ``roles`` in one run of Nix.

    Args:
        shell: where Nix runs.
        application: first part of the images' references.
        roles: attribute ``ROLE-image`` is built for each; its store path is named
            ``ROLE-image.json``, which tells the images apart.
        root: the checkout with ``flake.nix``.
        rebuild: build each image and layer again afterwards and compare; the flake's output
            ``layers`` has ``ROLE-TITLE`` (the tree) and ``ROLE-TITLE-json`` for each layer.
        watch: is given each line that Nix says while it builds.

    Returns:
        The images in the order of ``roles``.

    Raises:
        BuildError: Nix failed, an input is missing, a second build gave other bytes, or a
            description can't be used.
    """
    attributes = [f"{_PACKAGES}{role}-image" for role in roles]
    paths = _by_role(_outputs(_nix(shell, ["--json"], attributes, root, watch).text), roles)
    images = tuple(_read(paths[role], application, role) for role in roles)
    if rebuild:
        _nix(shell, ["--rebuild"], [*_layer_attributes(images), *attributes], root, watch)
    return images


def _layer_attributes(images: Sequence[Image]) -> list[str]:
    """Tree and description of every layer; Nix builds one that roles share once."""
    names = [f"{image.role}-{layer.title}" for image in images for layer in image.layers]
    return [f"{_LAYERS}{name}{part}" for name in names for part in ("", "-json")]


def _nix(
    shell: Shell,
    flags: Sequence[str],
    attributes: Sequence[str],
    root: Path,
    watch: Callable[[str], None] | None,
) -> Completed:
    argv = [*_NIX, *flags, *attributes]
    try:
        done = shell.run(argv, timeout=_TIMEOUT_S, cwd=str(root), check=False, watch=watch)
    except CommandFailed as error:
        raise BuildError(
            f"Nix can't be run: {error.message}; nothing was built",
            hint="./inv fetch",
            stage="build",
            details=error.details,
        ) from error
    if not done.ok:
        raise _failure(done.error_text)
    return done


def _failure(log: str) -> BuildError:
    """What Nix's words mean for the person who started the build."""
    if missing := _MISSING.search(log):
        return BuildError(missing[1].strip(), hint="./inv fetch", stage="build")
    lines = [line for line in log.splitlines() if line.strip()][-_LOG_LINES:]
    if differs := _DIFFERS.search(log):
        return BuildError(
            f"building again gave other bytes: {differs[1].strip()}",
            hint="find what in that derivation depends on time, order or machine",
            stage="rebuild",
            details=lines,
        )
    return BuildError(
        "Nix could not build the images; what runs on the hosts is as it was",
        hint="read the last lines above; `nix log DERIVATION` has the whole log",
        stage="build",
        details=lines,
    )


def _outputs(text: str) -> list[str]:
    """The store paths in ``nix build --json`` (Nix 2.8 has no ``--print-out-paths``)."""
    try:
        return [path for built in json.loads(text) for path in built["outputs"].values()]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BuildError(
            "Nix did not say what it built in the form that is known",
            hint="nix --version; 2.8 and later are known to work",
            stage="build",
            details=[text[:200]],
        ) from error


def _by_role(paths: Sequence[str], roles: Sequence[str]) -> dict[str, Path]:
    """Which store path belongs to which role; Nix prints them in an order of its own."""
    named = {Path(path).name[_HASH_LENGTH:]: Path(path) for path in paths}
    lacking = [role for role in roles if f"{role}-image.json" not in named]
    if lacking:
        raise BuildError(
            f"Nix built no {', '.join(f'{role}-image.json' for role in lacking)}",
            hint="nix flake show",
            stage="build",
            details=list(paths),
        )
    return {role: named[f"{role}-image.json"] for role in roles}


def _read(path: Path, application: str, role: str) -> Image:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BuildError(
            f"{path}, just built, can't be read: {error.strerror}", stage="build"
        ) from error
    return parse(text, application=application, role=role, file=str(path))
