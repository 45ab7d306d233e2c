"""Which versions of secrets the services have that take them while they run. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from slipway.ledger.release import Release
from slipway.plan.values import ContainerChange, SecretChange
from slipway.runner.handed import BEFORE, handed_folder, untold_mark
from slipway.stack.model import Reload


def secret_changes(
    release: Release,
    live: Release | None,
    changes: Sequence[ContainerChange],
    handed: Collection[str] = (),
) -> tuple[SecretChange, ...]:
    """The services that keep their containers and get other versions of secrets.

    Those that an earlier deploy, broken off, did not tell are among them, without a name.

    Args:
        release: what is to be live.
        live: what is; None for nothing.
        changes: what is done to containers: a new one reads its secrets when it starts.
        handed: paths of what the services have.
    """
    if live is None:
        return ()
    kept = {one.service for one in changes if one.action == "keep"}
    found = []
    for one in release.reloads:
        names = changed(one, release, live)
        if one.service in kept and (names or is_open(one.service, handed)):
            found.append(SecretChange(one.service, names))
    return tuple(found)


def is_open(service: str, handed: Collection[str]) -> bool:
    """Whether a service may let in with what it should not any more, or not yet."""
    folder = f"{handed_folder(service)}/"
    return untold_mark(service) in handed or any(
        path.startswith(folder) and path.endswith(BEFORE) for path in handed
    )


def bare(live: Release | None, handed: Collection[str]) -> frozenset[str]:
    """The services of a release whose folder lacks a secret: a start of theirs would fail."""
    if live is None:
        return frozenset()
    return frozenset(
        one.service
        for one in live.reloads
        if any(f"{handed_folder(one.service)}/{name}" not in handed for name in one.files)
    )


def changed(reload: Reload, release: Release, live: Release | None) -> tuple[str, ...]:
    """The secrets of a service that have another version than in the live release, by name."""
    before = live.secrets if live is not None else {}
    names = {
        name
        for name in reload.files.values()
        if name in before and before[name] != release.secrets.get(name)
    }
    return tuple(sorted(names))
