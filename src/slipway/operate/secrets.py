"""The secrets of the live release: which versions there are, who reads them, and what one is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from slipway.act.doors import Doors
from slipway.errors import ConfigError
from slipway.ledger.release import Release
from slipway.operate.standing import compose_of, live_of
from slipway.report import table
from slipway.secret import Secret


@dataclass(frozen=True, slots=True)
class Held:
    """A secret that the live release uses, or that is left of an earlier one.

    Attributes:
        name: its name.
        version: the one that the live release uses; None when it uses none.
        versions: those that the host has, ascending.
        readers: the services of the live release that are given it.
    """

    name: str
    version: int | None
    versions: tuple[int, ...]
    readers: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """All fields; no value is among them."""
        return {
            "secret": self.name,
            "version": self.version,
            "versions": list(self.versions),
            "readers": list(self.readers),
        }


@dataclass(frozen=True, slots=True)
class Shown:
    """A secret whose value a person wants to see.

    Attributes:
        name: its name.
        value: the secret.
    """

    name: str
    value: Secret

    def to_json(self) -> dict[str, object]:
        """All fields, and the value as it is."""
        return {"secret": self.name, "value": self.value.reveal()}


def listed(doors: Doors) -> tuple[Held, ...]:
    """The host's secrets by name.

    Raises:
        DeployError: nothing is deployed there, or its Compose file is lost.
    """
    memory = doors.folder.read()
    live = live_of(doors, memory.records)
    document = json.loads(compose_of(doors, live))
    held = memory.secrets
    return tuple(
        Held(
            name,
            live.secrets.get(name),
            held.get(name, ()),
            tuple(sorted({*readers(document["services"], name), *_takers(live, name)})),
        )
        for name in sorted({*held, *live.secrets})
    )


def readers(services: Mapping[str, Mapping[str, object]], name: str) -> tuple[str, ...]:
    """The services that are given a secret, by the Compose file of a release. Pure."""
    return tuple(
        sorted(
            service
            for service, body in services.items()
            if any(one["source"] == name for one in _mounts(body))
        )
    )


def _takers(live: Release, name: str) -> Iterator[str]:
    """The services that take it while they run."""
    return (one.service for one in live.reloads if name in one.files.values())


def _mounts(body: Mapping[str, object]) -> Sequence[Mapping[str, str]]:
    mounts = body.get("secrets")
    return mounts if isinstance(mounts, list) else ()


def shown(doors: Doors, name: str, version: int | None = None) -> Shown:
    """The value of a secret.

    Args:
        doors: where.
        name: which.
        version: of it; None for the one that the live release uses.

    Raises:
        ConfigError: there is no such secret, or no such version; those there are are named.
        DeployError: nothing is deployed there, or the host has lost it.
    """
    memory = doors.folder.read()
    held = memory.secrets
    wanted = live_of(doors, memory.records).secrets.get(name) if version is None else version
    if name not in held:
        raise ConfigError(
            f"{doors.host.name} has no secret {name}",
            hint=f"those it has: {', '.join(sorted(held)) or 'none'}",
            stage="config",
        )
    if wanted is None or wanted not in held[name]:
        versions = ", ".join(str(one) for one in held[name])
        raise ConfigError(
            f"{doors.host.name} has no version {wanted} of {name}"
            if wanted is not None
            else f"the live release does not use {name}",
            hint=f"./inv secrets.show {name} --number N, with one of: {versions}",
            stage="config",
        )
    return Shown(name, doors.folder.secret(name, wanted))


def listed_text(secrets: Sequence[Held]) -> str:
    """The secrets for people."""
    rows = [
        (
            one.name,
            str(one.version or "-"),
            ", ".join(map(str, one.versions)) or "lost",
            ", ".join(one.readers) or "-",
        )
        for one in secrets
    ]
    return table(rows, head=("secret", "live", "on the host", "read by"))
