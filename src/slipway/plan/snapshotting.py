"""What is done with snapshots of the data path. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import ClassVar

from slipway.errors import DeployError
from slipway.hosts.dataset import Place
from slipway.ledger.records import Memory
from slipway.ledger.snapshots import Taken, before, left


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Take a snapshot.

    Attributes:
        snapshot: it.
        link: below the application's folder, what leads to it from then on.
        anew: whether one of its name is destroyed first.
    """

    where: ClassVar[str] = "host"
    snapshot: Taken
    link: str
    anew: bool = False

    def to_json(self) -> dict[str, object]:
        """All fields, those of the snapshot in its place, and the action's name."""
        return {
            "action": "snapshot",
            "where": self.where,
            **self.snapshot.to_json(),
            "link": self.link,
            "anew": self.anew,
        }


@dataclass(frozen=True, slots=True)
class Forget:
    """Destroy snapshots of ours; one that is gone is none the less, one that is held stays.

    Attributes:
        snapshots: those.
    """

    where: ClassVar[str] = "host"
    snapshots: tuple[Taken, ...]

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "forget",
            "where": self.where,
            "snapshots": [one.to_json() for one in self.snapshots],
        }


@dataclass(frozen=True, slots=True)
class Rewind:
    """Make the data what they were at a snapshot; nothing may use them meanwhile.

    Attributes:
        paths: where the datasets are mounted, the uppermost first.
        name: of the snapshot.
        kept: of the one that has the data as they were before this; noted until all is done.
    """

    where: ClassVar[str] = "host"
    paths: tuple[str, ...]
    name: str
    kept: str

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "rewind",
            "where": self.where,
            "paths": list(self.paths),
            "name": self.name,
            "kept": self.kept,
        }


@dataclass(frozen=True, slots=True)
class Revert:
    """Have TrueNAS make the data what they were at a snapshot, which is the newest one.

    Attributes:
        snapshot: it; nothing may use the data meanwhile.
    """

    where: ClassVar[str] = "host"
    snapshot: Taken

    def to_json(self) -> dict[str, object]:
        """All fields, those of the snapshot in its place, and the action's name."""
        return {"action": "revert", "where": self.where, **self.snapshot.to_json()}


def see_whole(memory: Memory, host: str) -> None:
    """Refuse to let anything run on data that are half put back.

    Raises:
        DeployError: they are; nothing was changed.
    """
    if memory.half:
        raise DeployError(
            f"the data on {host} are put back by half only: it was broken off, and could not be "
            f"undone; as they were they are in the snapshot {memory.half}. Nothing was changed",
            hint="./inv rollback --data puts them back; ./inv releases says what there is to go to",
            stage="plan",
        )


def to_take(place: Place, application: str, release: str) -> Taken:
    """The snapshot that a release takes before it migrates."""
    return Taken(place.by, place.dataset, place.path, before(application, release))


def to_leave(place: Place, application: str, release: str) -> Taken:
    """The snapshot that is taken of a release's data before others take their place."""
    return Taken(place.by, place.dataset, place.path, left(application, release))


def to_forget(memory: Memory, gone: Collection[str]) -> tuple[Taken, ...]:
    """The snapshots of releases that go.

    What was taken when a release was left is in no record; it is of the dataset that others are of.

    Args:
        memory: what the host holds.
        gone: ids of those releases.
    """
    known = memory.records.releases
    taken = [one.snapshot for one in known if one.id in gone and one.snapshot]
    some = next((one.snapshot for one in known if one.snapshot), None)
    kept = [
        replace(one.snapshot or some, name=left(one.application, one.id))
        for one in known
        if one.id in gone and one.id in memory.left and some
    ]
    return (*taken, *kept)
