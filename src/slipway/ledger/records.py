"""The releases that a host knows, and what else lies in the application's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway.errors import DeployError
from slipway.ledger.journal import TakenDown
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
        unreadable: id of a release to why its record can't be read.
    """

    releases: tuple[Release, ...] = ()
    current: str | None = None
    unreadable: Mapping[str, DeployError] = field(default_factory=dict)

    @property
    def live(self) -> Release | None:
        """The live release, or None before the first.

        Raises:
            DeployError: the host says which release is live but has no record of it, or one that
                can't be read.
        """
        if self.current is None:
            return None
        if self.current in self.unreadable:
            raise self.unreadable[self.current]
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

        Before anything was live nothing is thrown away. Where a record that can't be read hides
        which one was live before, the newest of the older ones stay.
        """
        if self.current is None:
            return self.releases[:newest]
        history = self.history
        before = history[-1].previous if history else self.current
        if before is None or before not in self.unreadable:
            return history[:newest]
        older = [one for one in self.releases if one.id < before]
        return (*history, *older)[:newest]


@dataclass(frozen=True, slots=True)
class Memory:
    """What an application's folder holds.

    Attributes:
        records: its releases, with the host's own numbers of containers.
        files: paths of config files and secret versions, relative to the folder.
        handed: paths of what services have that take secrets while they run, and of the marks of
            those that were not told yet.
        values: of each secret that was asked for and is there, version to value.
        run: the latest run; None before the first.
        scale: the host's own numbers of containers.
        dumps: ids of the releases whose database, as it was before their migration, is kept.
        snapshots: ids of the releases before whose migration a snapshot was taken, which is there.
        left: likewise of those whose data were kept by one when they were left.
        half: while the data are put back, the name of the snapshot that has them as they were; else
            empty.
        bare: ids of the releases whose Compose file is not there as it was recorded.
        down: by whom and when the stack was taken down; None when it was not, or was brought up
            since.
        included: where the link leads that TrueNAS' app includes; empty where there is none.
        warnings: what there can't be read, a sentence each; all else can be done.
    """

    records: Records = field(default_factory=Records)
    files: tuple[str, ...] = ()
    handed: tuple[str, ...] = ()
    values: Mapping[str, Mapping[int, Secret]] = field(default_factory=dict)
    run: LastRun | None = None
    scale: Scale = field(default_factory=dict)
    dumps: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    half: str = ""
    bare: frozenset[str] = frozenset()
    down: TakenDown | None = None
    included: str = ""
    warnings: tuple[str, ...] = ()

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
