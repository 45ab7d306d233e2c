"""An image's bill: what is in its files, held against the locks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slipway.bills.debs import debs
from slipway.bills.declared import Declared
from slipway.bills.dists import dists
from slipway.bills.files import files_of
from slipway.bills.programs import programs
from slipway.bills.values import Bill, Component
from slipway.bills.vendored import vendored
from slipway.images.values import Image
from slipway.supply.needs import Locks
from slipway.supply.wheels import SITE


def bill_of(image: Image, locks: Locks, declared: Sequence[Declared]) -> Bill:
    """What an image is made of.

    Args:
        locks: what it was built from; hashes of packages and wheels come from these.
        declared: what wheels carry inside, as people wrote it down.

    Raises:
        BuildError: the image holds something that is not in the locks, or a library that
            nobody declared.
    """
    files = files_of(image)
    wheels = list(dists(files, locks.python))
    site = SITE.format(version=locks.python.python).strip("/")
    found = [
        *debs(files, locks.debian),
        *wheels,
        *programs(files),
        *vendored(files, site, wheels, declared),
    ]
    return Bill(image.role, image.reference, image.manifest_digest, in_order(found))


def in_order(components: Iterable[Component]) -> tuple[Component, ...]:
    """Components sorted, what stands in them twice once."""
    by_key = {(one.carrier, one.kind, one.name, one.version, one.purl): one for one in components}
    return tuple(by_key[key] for key in sorted(by_key))
