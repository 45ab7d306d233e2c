"""The sums of a folder of bills, which are what is signed. Pure.

Their file has the form of coreutils' ``sha256sum``, so that ``sha256sum --check`` reads it. Beside
the bills it sums each image's configuration and manifest (OCI image specification), byte for byte:
their sums are the ids that Docker has for the image. So who signs the sums has signed the images.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from slipway.errors import BuildError
from slipway.images.values import Image

SUMS = "SHA256SUMS"
SIGNATURE = f"{SUMS}.sig"  # where ``ssh-keygen -Y sign`` puts it

_CONFIG, _MANIFEST = ".config.json", ".manifest.json"
_LINE = re.compile(r"(?P<sum>[0-9a-f]{64})  (?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\Z")


def image_files(images: Iterable[Image]) -> dict[str, str]:
    """File name to content: what Docker's ids of images are the sums of."""
    found = {}
    for image in images:
        found[f"{image.role}{_CONFIG}"] = image.config.decode()
        found[f"{image.role}{_MANIFEST}"] = image.manifest.decode()
    return found


def image_names(roles: Iterable[str]) -> set[str]:
    """The names of the files that :func:`image_files` has for images of these roles."""
    return {f"{role}{ending}" for role in roles for ending in (_CONFIG, _MANIFEST)}


def sum_of(data: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()


def sums_text(files: Mapping[str, str]) -> str:
    """The sums of files, by name to content; sorted by name."""
    return "".join(f"{sum_of(files[name].encode())}  {name}\n" for name in sorted(files))


def read_sums(text: str, where: str) -> dict[str, str]:
    """File name to the SHA-256 of its content, hex.

    Args:
        text: of a file of sums.
        where: what messages call it.

    Raises:
        BuildError: a line is none of ``sha256sum``, or names a file of another folder; all of them
            are named.
    """
    found, problems = {}, []
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _LINE.match(line):
            found[match["name"]] = match["sum"]
        else:
            problems.append(f"line {number}: {line[:100]!r}")
    if problems or not found:
        raise BuildError(
            f"{where} has no sums of bills, whoever signed it",
            details=problems or ["it is empty"],
            hint="./inv bills --sign KEY writes such a file, and signs it",
            stage="bills",
        )
    return found


def differences(sums: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Where files are not as the sums say, a phrase each.

    Args:
        sums: file name to SHA-256, as it was signed.
        found: likewise, as the folder has it.
    """
    return [
        *(f"{name} is missing" for name in sorted(sums.keys() - found.keys())),
        *(
            f"{name} was changed"
            for name in sorted(sums.keys() & found.keys())
            if sums[name] != found[name]
        ),
        *(f"{name} is there and was not signed" for name in sorted(found.keys() - sums.keys())),
    ]


def ids_of(sums: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Role to the ids that Docker may have for its image, as far as they were summed."""
    found: dict[str, Sequence[str]] = {}
    for ending in (_CONFIG, _MANIFEST):
        for name, digest in sums.items():
            if name.endswith(ending):
                role = name.removesuffix(ending)
                found[role] = (*found.get(role, ()), f"sha256:{digest}")
    return {role: tuple(ids) for role, ids in found.items()}
