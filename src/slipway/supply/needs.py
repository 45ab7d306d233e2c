"""Which locked inputs a task needs; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.config import Config

if TYPE_CHECKING:
    from slipway.supply.locks import DebianLock, GoLock, Package, PythonLock, Wheel
    from slipway.supply.store import StoreFile


@dataclass(frozen=True, slots=True)
class Locks:
    """All locks of a checkout."""

    debian: DebianLock
    python: PythonLock
    go: GoLock


@dataclass(frozen=True, slots=True)
class Needs:
    """What a task is going to build or use.

    Attributes:
        roles: the images of these roles.
        tools: programs built from Go modules; every image needs them as well.
        rehearsal: a rehearsal host's programs.
        samples: the files of ``[samples]``, for smoke tests and tests.
    """

    roles: tuple[str, ...] = ()
    tools: bool = False
    rehearsal: bool = False
    samples: bool = False


def everything(config: Config) -> Needs:
    """All that ``slipway.toml`` speaks of."""
    return Needs(config.roles, tools=True, rehearsal=True, samples=True)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Locked inputs.

    Attributes:
        packages: Debian packages.
        wheels: Python wheels.
        folders: what is made of other inputs here: stage 0, the Go that
            builds, the vendored Go modules.
    """

    packages: tuple[Package, ...]
    wheels: tuple[Wheel, ...]
    folders: tuple[StoreFile, ...]

    @property
    def files(self) -> tuple[StoreFile, ...]:
        """Where all of it lies in the store."""
        packages, wheels = (p.file for p in self.packages), (w.file for w in self.wheels)
        return (*packages, *wheels, *self.folders)


def select(needs: Needs, config: Config, locks: Locks) -> Inputs:
    """The inputs that ``needs`` come to."""
    tools = needs.tools or bool(needs.roles)
    built = tools or needs.rehearsal
    groups = {"tool.stage0"} if built else set()
    groups |= {"rehearsal"} if needs.rehearsal else set()
    sets = {"samples"} if needs.samples else set()
    if tools:
        groups |= {group for group in locks.debian.groups if group.startswith("tool.")}
    if needs.roles:  # the shared layers hold what builds images, too
        groups |= {group for group in locks.debian.groups if group.startswith("layer.")}
        groups |= {f"image.{role}" for role in needs.roles}
        sets |= {"build", *(name for role in needs.roles for name in config.images[role].python)}
    packages = {name for group in groups for name in locks.debian.groups.get(group, ())}
    wheels = {name for group in sets for name in locks.python.sets.get(group, ())}
    return Inputs(
        packages=tuple(locks.debian.packages[name] for name in sorted(packages)),
        wheels=tuple(locks.python.wheels[name] for name in sorted(wheels)),
        folders=(
            *((locks.debian.stage0,) if built else ()),
            *((locks.go.toolchain, locks.go.vendor) if tools else ()),
        ),
    )
