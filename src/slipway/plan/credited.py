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
    return made_by(live, engine)


def made_by(release: Release, engine: EngineState) -> EngineState:
    """What an engine holds once a release was started there, and was seen to be well.

    Of a service with a health check TrueNAS says that it runs when that passes, and nothing more.
    """
    return replace(engine, containers=tuple(_of(release, one) for one in engine.containers))


def _of(live: Release, container: Container) -> Container:
    image = live.images.get(live.roles.get(container.service, ""))
    if image is not None and not image.is_id(container.image_id):
        return container
    health = container.health
    if not health and container.state == "running" and container.service in live.checked:
        health = "healthy"
    return replace(container, config=live.hashes.get(container.service, ""), health=health)
