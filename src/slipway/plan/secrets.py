"""Which version of each secret a release uses. Pure.

A secret's versions are files ``secrets/NAME/1``, ``2``, … of the application's folder: mode 0400,
owned by the user that reads them in the containers, in a folder of mode 0700. A version is never
written twice. A release keeps the version that the live one uses: a newer one on the host is of a
deploy that was undone, and stays so. The operator's own value (``deploy/secrets/NAME`` or
``SLIPWAY_SECRET_NAME``) becomes a new version when it differs from the kept one; one that nobody
supplied is generated when the host has none, and empty when it is optional. A derived secret has
the version of the one it is made from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from slipway.errors import ConfigError, Problem
from slipway.secret import Secret
from slipway.stack.model import SecretSpec

PREFIX = "SLIPWAY_SECRET_"
"""What the name of a variable begins with that supplies a secret."""


@dataclass(frozen=True, slots=True)
class SecretChoice:
    """Which version of a secret a release uses, and how it comes to be.

    Attributes:
        spec: the secret.
        version: its number.
        origin: ``kept``, ``generated``, ``supplied`` or ``derived``.
    """

    spec: SecretSpec
    version: int
    origin: str


def choose(
    specs: Sequence[SecretSpec],
    *,
    held: Mapping[str, Sequence[int]],
    values: Mapping[str, Mapping[int, Secret]],
    supplied: Mapping[str, Secret],
    live: Mapping[str, int] | None = None,
    anew: Collection[str] = (),
) -> tuple[SecretChoice, ...]:
    """Decide each secret's version. Pure.

    A secret that the live release uses and the host has lost gets a new version, so that whoever
    runs with the lost one is replaced. One that no live release uses is kept in its newest version:
    what a first deploy that failed has made (a database's password) is what its data wants.

    Args:
        specs: the secrets of the stack.
        held: name to the versions on the host.
        values: version to value, for those in ``supplied`` that the host has.
        supplied: the operator's values.
        live: name to the version that the live release uses.
        anew: those that are to be generated anew, whatever is held.

    Raises:
        ConfigError: one is neither supplied, nor held, nor generated, nor derived; or a derived
            one was supplied. All are named.
    """
    problems: list[Problem] = []
    chosen: dict[str, SecretChoice] = {}
    used = live or {}
    for spec in specs:
        if spec.derive:
            if spec.name in supplied:
                problems.append(
                    Problem(spec.name, f"is derived from {spec.source}: supply that instead")
                )
            continue
        kept = _kept(held.get(spec.name, ()), used.get(spec.name))
        family = [spec.name, *(one.name for one in specs if one.source == spec.name)]
        following = 1 + max(
            number for name in family for number in (0, *held.get(name, ()), used.get(name, 0))
        )
        # Logins take turns, and the one that is in use has its password already.
        if any(one.source == spec.name and one.login for one in specs) and kept:
            following += (following - kept + 1) % 2
        given = supplied.get(spec.name)
        if given is not None and (not kept or values.get(spec.name, {}).get(kept) != given):
            chosen[spec.name] = SecretChoice(spec, following, "supplied")
        elif kept and spec.name not in anew:
            chosen[spec.name] = SecretChoice(spec, kept, "kept")
        elif spec.generate or spec.optional:
            chosen[spec.name] = SecretChoice(spec, following, "generated")
        else:
            problems.append(Problem(spec.name, _missing(spec.name, used.get(spec.name))))
    if problems:
        raise ConfigError.from_problems("the secrets", problems)
    for spec in specs:
        if spec.derive:
            version = chosen[spec.source].version
            origin = "kept" if version in held.get(spec.name, ()) else "derived"
            chosen[spec.name] = SecretChoice(spec, version, origin)
    return tuple(chosen[spec.name] for spec in specs)


def _kept(held: Sequence[int], live: int | None) -> int:
    """The version to go on with, of those held; 0 for none."""
    if live is None:
        return max(held, default=0)
    return live if live in held else 0


def _missing(name: str, live: int | None) -> str:
    lost = f" (the host has lost version {live}, which runs)" if live else ""
    return f"is missing{lost}: put it into deploy/secrets/{name} or {variable(name)}"


def variable(name: str) -> str:
    """The environment variable that supplies a secret."""
    return PREFIX + name.upper().replace("-", "_")
