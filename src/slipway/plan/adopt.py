"""Which release runs where the record of it was lost. Pure."""

from __future__ import annotations

from slipway.ledger.release import Release
from slipway.plan.wanted import Seen
from slipway.runner.containers import Container, standing


def adopted(seen: Seen) -> Release | None:
    """The newest recorded release that all runs, where no release is said to be live.

    Returns:
        None when one is said to be live, or none runs as a whole.
    """
    records = seen.memory.records
    if records.current is not None:
        return None
    containers = standing(seen.engine.containers)
    return next((one for one in records.releases if _runs(one, containers)), None)


def _runs(release: Release, containers: tuple[Container, ...]) -> bool:
    fitting = {
        one.service
        for one in containers
        if one.state == "running" and one.fits(*_wanted(release, one.service))
    }
    return bool(release.hashes) and set(release.hashes) <= fitting


def _wanted(release: Release, service: str) -> tuple[str, tuple[str, ...]]:
    image = release.images.get(release.roles.get(service, ""))
    ids = (image.config_digest, image.manifest_digest) if image else ()
    return release.hashes.get(service, "-"), ids
