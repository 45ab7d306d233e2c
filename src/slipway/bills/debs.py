"""Debian packages of an image, as their control paragraphs in it say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packageurl import PackageURL

from slipway.bills.files import Files
from slipway.bills.licences import of_copyright
from slipway.bills.values import DEB, Component
from slipway.errors import BuildError
from slipway.supply.locks import DebianLock

_STATUS = r"var/lib/dpkg/status\.d/[^/]+(?<!\.md5sums)"
_SOURCE = re.compile(r"(\S+)(?:\s+\((\S+)\))?\Z")


def debs(files: Files, lock: DebianLock) -> Iterator[Component]:
    """The packages, each with the hash that the lock has for it.

    Raises:
        BuildError: the image holds a package that the lock hasn't, or another version of one.
    """
    release = _release(files)
    for path, _ in files.matching(_STATUS):
        text = files.read(path).decode("utf-8", "replace")
        fields = dict(re.findall(r"^(\S+): (.*)$", text, re.MULTILINE))
        name, version = fields.get("Package", ""), fields.get("Version", "")
        locked = lock.packages.get(name)
        if locked is None or locked.version != version:
            there = f"the lock has {locked.version}" if locked else "the lock hasn't it"
            raise BuildError(
                f"an image holds {name} {version}, and {there}: no bill can be made of it",
                hint="./inv build",
                stage="bills",
            )
        yield _component(fields, locked.sha256, release, _licences(files, name), path)


def _release(files: Files) -> str:
    """``debian-13`` from ``os-release``; empty where there is none."""
    if "usr/lib/os-release" not in files.sources:
        return ""
    text = files.read("usr/lib/os-release").decode("utf-8", "replace")
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    return f"{fields.get('ID', '')}-{fields.get('VERSION_ID', '')}"


def _component(
    fields: dict[str, str], sha256: str, release: str, licences: tuple[str, ...], path: str
) -> Component:
    name, version = fields["Package"], fields["Version"]
    found = _SOURCE.match(fields.get("Source", name))
    source, of_source = (found[1], found[2] or version) if found else (name, version)
    upstream = source if of_source == version else f"{source}@{of_source}"
    qualifiers = {"arch": fields.get("Architecture", ""), "distro": release}
    if upstream != name:
        qualifiers["upstream"] = upstream
    purl = PackageURL("deb", "debian", name, version, qualifiers).to_string()
    return Component(
        DEB,
        name,
        version,
        purl,
        licences=licences,
        sha256=sha256,
        source=f"{source} {of_source}",
        places=(f"/{path}",),
    )


def _licences(files: Files, name: str) -> tuple[str, ...]:
    path = f"usr/share/doc/{name}/copyright"
    if path not in files.sources:
        return ()
    return of_copyright(files.read(path).decode("utf-8", "replace"))
