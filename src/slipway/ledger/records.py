"""The releases that a host knows, and what else lies in the application's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway.errors import DeployError
from slipway.ledger.layout import SECRETS
from slipway.ledger.release import Release
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

    def kept(self, newest: int = KEEP) -> tuple[Release, ...]:
        """The releases to keep: the live one, the one before it, and the newest besides.

        What failed after the one before it is newer, and no state to go back to.
        """
        live = [release for release in self.releases if release.id == self.current]
        before = {release.previous for release in live} - {self.current}
        first = [*live, *(release for release in self.releases if release.id in before)]
        others = [release for release in self.releases if release not in first]
        return (*first, *others[: newest - len(first)])


@dataclass(frozen=True, slots=True)
class Memory:
    """What an application's folder holds.

    Attributes:
        records: its releases.
        files: paths of config files and secret versions, relative to the folder.
        values: of each secret that was asked for and is there, version to value.
    """

    records: Records = field(default_factory=Records)
    files: tuple[str, ...] = ()
    values: Mapping[str, Mapping[int, Secret]] = field(default_factory=dict)

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
