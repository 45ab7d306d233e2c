"""What marks a release's own containers. Pure."""

from __future__ import annotations

from dataclasses import replace

from slipway.ledger.release import Release
from slipway.runner.expected import Expected
from slipway.stack.project import ONLY


def marked(release: Release) -> tuple[Expected, ...]:
    """What a release's services should come to, counting its own containers only.

    Those of the release before may stand beside them, and be just ending.
    """
    found = []
    for one in release.expected:
        image = release.images.get(release.roles.get(one.service, ""))
        images = (image.config_digest, image.manifest_digest) if image else ()
        config = release.hashes[one.service]
        if release.mode == ONLY:  # TrueNAS tells no labels, and of images the references
            images, config = (*images, image.reference) if image else (), ""
        found.append(replace(one, config=config, images=images))
    return tuple(found)
