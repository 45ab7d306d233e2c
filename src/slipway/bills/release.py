"""Several images' bills as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from packageurl import PackageURL

from slipway.bills.values import Bill, Component


def together(bills: Sequence[Bill]) -> tuple[Component, ...]:
    """Every component of some images once, with all places it has."""
    found: dict[tuple[str, str, str], Component] = {}
    for bill in bills:
        for one in bill.components:
            key = (one.carrier, one.purl, one.name)
            there = found.get(key)
            places = {*one.places, *(there.places if there else ())}
            found[key] = replace(one, places=tuple(sorted(places)))
    return tuple(found[key] for key in sorted(found))


def image_purl(bill: Bill) -> str:
    """The package URL of an image: type ``oci``, its version the manifest's digest."""
    name, _, tag = bill.reference.rpartition(":")
    last = name.rpartition("/")[2]
    qualifiers = {"repository_url": name, "tag": tag}
    return PackageURL("oci", None, last.lower(), bill.digest, qualifiers).to_string()
