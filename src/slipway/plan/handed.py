"""Which versions of secrets the services have that take them while they run. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.ledger.release import Release
from slipway.plan.values import ContainerChange, SecretChange
from slipway.stack.model import Reload


def secret_changes(
    release: Release, live: Release | None, changes: Sequence[ContainerChange]
) -> tuple[SecretChange, ...]:
    """The services that keep their containers and get other versions of secrets.

    Args:
        release: what is to be live.
        live: what is; None for nothing.
        changes: what is done to containers: a new one reads its secrets when it starts.
    """
    if live is None:
        return ()
    kept = {one.service for one in changes if one.action == "keep"}
    found = []
    for one in release.reloads:
        names = changed(one, release, live)
        if names and one.service in kept:
            found.append(SecretChange(one.service, names))
    return tuple(found)


def changed(reload: Reload, release: Release, live: Release | None) -> tuple[str, ...]:
    """The secrets of a service that have another version than in the live release, by name."""
    before = live.secrets if live is not None else {}
    names = {
        name
        for name in reload.files.values()
        if name in before and before[name] != release.secrets.get(name)
    }
    return tuple(sorted(names))
