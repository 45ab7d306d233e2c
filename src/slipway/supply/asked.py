"""What ``slipway.toml`` asks of a lock, in a normal form that the lock keeps.

A lock answers a question. When the question changes the old answer must not be taken for the new
one, so each lock holds what it was asked, and :func:`check` compares. ``nix/lib/lock.nix`` makes
the same normal form of the same file and compares as well.

The normal form is a table of subject (``image.edge``, ``set.app``, ``release`` …) to strings,
sorted, each once; a subject without any is left out. So comments and order make no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from slipway.config import LAYER_ORDER, Config
from slipway.errors import LockError

Asked = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A subject of which a lock was asked something else than ``slipway.toml`` says now.

    Attributes:
        lock: its kind, ``debian`` or ``python``, as ``./inv lock --only`` takes it.
        subject: such as ``image.edge``.
        then: what the lock was made for.
        now: what is asked now.
    """

    lock: str
    subject: str
    then: tuple[str, ...]
    now: tuple[str, ...]

    def __str__(self) -> str:
        then, now = (", ".join(names) or "nothing" for names in (self.then, self.now))
        return f"{self.lock}.json: {self.subject} was locked for {then}; now it asks for {now}"


def _normal(table: Mapping[str, Iterable[str]]) -> Asked:
    return {key: tuple(sorted(set(value))) for key, value in sorted(table.items()) if value}


def groups(config: Config) -> dict[str, tuple[str, ...]]:
    """The declared Debian packages by group, shared layers before images; none is empty."""
    found = {f"tool.{name}": names for name, names in config.tools.items()}
    found |= {f"layer.{name}": config.layers[name] for name in LAYER_ORDER}
    found |= {f"image.{role}": image.debian for role, image in config.images.items()}
    found["rehearsal"] = config.rehearsal
    return {group: names for group, names in found.items() if names}


def of_debian(config: Config) -> Asked:
    """What ``debian.json`` is asked."""
    asked = groups(config)
    asked |= {"architecture": (config.architecture,), "release": (config.release,)}
    return _normal(asked)


def of_python(config: Config) -> Asked:
    """What ``python.json`` is asked."""
    sets = {f"set.{name}": names for name, names in config.python_sets.items()}
    fixed = {
        "architecture": (config.architecture,),
        "samples": tuple(config.samples.values()),
        "version": (config.python_version,),
    }
    return _normal(sets | fixed)


def differences(lock: str, then: Asked, now: Asked) -> tuple[Difference, ...]:
    """Every subject of which ``then`` and ``now`` differ."""
    subjects = sorted({*then, *now})
    found = (Difference(lock, name, then.get(name, ()), now.get(name, ())) for name in subjects)
    return tuple(difference for difference in found if difference.then != difference.now)


def check(config: Config, *, debian: Asked, python: Asked) -> None:
    """Refuse locks that were asked something else than ``slipway.toml`` says.

    Raises:
        LockError: naming every difference, and the command that locks anew.
    """
    found = (
        *differences("python", python, of_python(config)),
        *differences("debian", debian, of_debian(config)),
    )
    if found:
        kinds = dict.fromkeys(difference.lock for difference in found)
        raise LockError(
            "slipway.toml changed after its inputs were locked; nothing was fetched or built",
            details=[str(difference) for difference in found],
            hint="./inv lock " + " ".join(f"--only {kind}" for kind in kinds),
            stage="lock",
        )
