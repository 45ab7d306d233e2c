"""Wheels of an image, and what their makers say is inside of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import compat32
from typing import Any

from packageurl import PackageURL
from packaging.utils import canonicalize_name

from slipway.bills.files import Files
from slipway.bills.licences import of_metadata
from slipway.bills.values import WHEEL, Component
from slipway.errors import BuildError
from slipway.supply.locks import PythonLock

_METADATA = r"(.*/)?[^/]+\.dist-info/METADATA"


def dists(files: Files, lock: PythonLock) -> Iterator[Component]:
    """The wheels, each with the hash that the lock has for it, and what is inside of each.

    Raises:
        BuildError: the image holds a wheel that the lock hasn't, or another version of one.
    """
    for path, _ in files.matching(_METADATA):
        parsed = BytesParser(policy=compat32).parsebytes(files.read(path), headersonly=True)
        fields: dict[str, list[str]] = {}
        for key, value in parsed.items():
            fields.setdefault(key.lower(), []).append(str(value))
        name = canonicalize_name(fields.get("name", [""])[0])  # as the lock and scanners have it
        version = fields.get("version", [""])[0]
        locked = lock.wheels.get(name)
        if locked is None or locked.version != version:
            there = f"the lock has {locked.version}" if locked else "the lock hasn't it"
            raise BuildError(
                f"an image holds the wheel {name} {version}, and {there}: no bill can be made",
                hint="./inv build",
                stage="bills",
            )
        purl = PackageURL("pypi", None, name, version).to_string()
        yield Component(
            WHEEL,
            name,
            version,
            purl,
            licences=of_metadata(fields),
            sha256=locked.sha256,
            places=(f"/{path}",),
        )
        yield from _inside(files, path.removesuffix("METADATA"), purl)


def _inside(files: Files, folder: str, carrier: str) -> Iterator[Component]:
    """What the bills that a wheel brings name (PEP 770: ``*.dist-info/sboms``)."""
    for path in sorted(files.sources):
        if path.startswith(f"{folder}sboms/") and path.endswith(".json"):
            try:
                value = json.loads(files.read(path))
            except ValueError as error:
                raise BuildError(
                    f"/{path}, a bill that a wheel brings, is no JSON: {error}", stage="bills"
                ) from error
            for row in value.get("components", ()) if isinstance(value, dict) else ():
                if (found := _row(row, f"/{path}", carrier)) is not None:
                    yield found


def _row(row: Any, path: str, carrier: str) -> Component | None:
    """One component of a CycloneDX file; None for the wheel itself and for what has no name."""
    try:
        purl = PackageURL.from_string(row["purl"])
        name, version = str(row["name"]), str(row.get("version", ""))
    except (KeyError, TypeError, ValueError):
        return None
    if purl.type == WHEEL:
        return None
    return Component(
        purl.type,
        name,
        version,
        purl.to_string(),
        licences=_licences(row.get("licenses", ())),
        places=(path,),
        carrier=carrier,
        evidence="the wheel's own bill",
    )


def _licences(rows: Any) -> tuple[str, ...]:
    found = []
    for row in rows:
        inner = row.get("license", {})
        found.append(row.get("expression") or inner.get("id") or inner.get("name") or "")
    return tuple(filter(None, found))
