"""What TrueNAS' word of an app's containers is worth where it tells no labels. Pure.

A container is made by a file, and what it was made of says a label that only Docker tells. In mode
``app-only`` the live release's own is meant to be what runs: its file is what the app includes, and
each start of the app is by that file. So a container of one of its services, with its image, is
taken to be of its definition; in doubt it isn't, and all is started anew.
"""

from __future__ import annotations

from dataclasses import replace

from slipway.hosts.inspect import EngineState
from slipway.ledger.records import Memory
from slipway.ledger.release import Release
from slipway.plan.registering import LIVE
from slipway.runner.containers import Container


def credited(memory: Memory, engine: EngineState) -> EngineState:
    """What an engine holds, with the definitions that its containers are taken to be of.

    Args:
        memory: what the application's folder holds.
        engine: what was seen, without labels.
    """
    live = memory.records.live
    if live is None or memory.included != LIVE:
        return engine
    return replace(engine, containers=tuple(_of(live, one) for one in engine.containers))


def _of(live: Release, container: Container) -> Container:
    image = live.images.get(live.roles.get(container.service, ""))
    if image is not None and not image.is_id(container.image_id):
        return container
    return replace(container, config=live.hashes.get(container.service, ""))
