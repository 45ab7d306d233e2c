"""The releases that a host knows, and what else lies in the application's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway.errors import DeployError
from slipway.ledger.layout import SECRETS
from slipway.ledger.release import Release
from slipway.ledger.runs import LastRun
from slipway.ledger.scale import Scale
from slipway.secret import Secret

KEEP = 3


@dataclass(frozen=True, slots=True)
class Records:
    """The releases a host knows.

    Attributes:
        releases: newest first.
        current: id of the live one, or None.
    """

    releases: tuple[Release, ...] = ()
    current: str | None = None

    @property
    def live(self) -> Release | None:
        """The live release, or None before the first.

        Raises:
            DeployError: the host says which release is live but has no record of it.
        """
        if self.current is None:
            return None
        for release in self.releases:
            if release.id == self.current:
                return release
        raise DeployError(
            f"the host says that {self.current} is live but holds no record of it",
            hint="restore its folder below releases/, or remove the link `current` and deploy anew",
            stage="read",
        )

    @property
    def history(self) -> tuple[Release, ...]:
        """The live release, the one that was live before it, and so on; newest first.

        Each release names the one that was live when it was made, so one that failed isn't here.
        """
        known = {release.id: release for release in self.releases}
        found: list[Release] = []
        name = self.current
        while name in known and known[name] not in found:
            found.append(known[name])
            name = known[name].previous
        return tuple(found)

    def kept(self, newest: int = KEEP) -> tuple[Release, ...]:
        """The releases to keep: the live one and those before it. What failed is no state to keep.

        Before anything was live nothing is thrown away.
        """
        return self.history[:newest] if self.current else self.releases[:newest]


@dataclass(frozen=True, slots=True)
class Memory:
    """What an application's folder holds.

    Attributes:
        records: its releases, with the host's own numbers of containers.
        files: paths of config files and secret versions, relative to the folder.
        values: of each secret that was asked for and is there, version to value.
        run: the latest run; None before the first.
        scale: the host's own numbers of containers.
        dumps: ids of the releases whose database, as it was before their migration, is kept.
    """

    records: Records = field(default_factory=Records)
    files: tuple[str, ...] = ()
    values: Mapping[str, Mapping[int, Secret]] = field(default_factory=dict)
    run: LastRun | None = None
    scale: Scale = field(default_factory=dict)
    dumps: tuple[str, ...] = ()

    @property
    def secrets(self) -> dict[str, tuple[int, ...]]:
        """Secret name to the versions there, ascending."""
        held: dict[str, tuple[int, ...]] = {}
        for path in self.files:
            kind, _, rest = path.partition("/")
            name, _, version = rest.partition("/")
            if kind == SECRETS and version.isascii() and version.isdigit():
                held[name] = tuple(sorted((*held.get(name, ()), int(version))))
        return held
