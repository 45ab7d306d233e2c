"""What a deploy would do. The JSON is a contract: fields are added, never renamed."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.ledger.snapshots import Taken
from slipway.plan.loss import Loss
from slipway.plan.pulling import Pulling


@dataclass(frozen=True, slots=True)
class ContainerChange:
    """What a deploy does to the containers of one service.

    Attributes:
        service: its name.
        action: ``create``, ``roll`` (a new one starts beside the old), ``recreate`` (the old one is
            stopped first), ``remove`` or ``keep``.
        reason: why, in words.
        downtime_s: seconds in which the service is expected not to answer.
        old: ids of containers that have to go though they are of the right image and definition.
    """

    service: str
    action: str
    reason: str
    downtime_s: float = 0
    old: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "service": self.service,
            "action": self.action,
            "reason": self.reason,
            "downtime_s": self.downtime_s,
        }


@dataclass(frozen=True, slots=True)
class DefinitionChange:
    """A network or volume that is there, of another definition than the wanted one.

    Attributes:
        kind: ``network`` or ``volume``.
        name: its name in Compose's file.
        action: ``recreate``; ``refuse`` for a volume, which can't be made anew without its data.
        services: those attached to it, which go down while it is made anew.
    """

    kind: str
    name: str
    action: str
    services: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "kind": self.kind,
            "name": self.name,
            "action": self.action,
            "services": list(self.services),
        }


@dataclass(frozen=True, slots=True)
class PendingMigration:
    """A migration that will run.

    Attributes:
        revision: its id; empty when only the new image, once on the host, can tell.
        message: what it does.
        downtime: whether the code before can't go on once it is applied, so that what uses the
            database is stopped first.
    """

    revision: str
    message: str
    downtime: bool = False

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "revision": self.revision,
            "message": self.message,
            "downtime": self.downtime,
        }


@dataclass(frozen=True, slots=True)
class SecretChange:
    """Secrets that a service takes anew while it runs.

    Attributes:
        service: its name.
        secrets: those of another version.
    """

    service: str
    secrets: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {"service": self.service, "secrets": list(self.secrets)}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deploy would do.

    Attributes:
        release: id of the release that would be live afterwards.
        bytes_to_send: image bytes that this machine sends, before compression.
        containers: one entry for each service.
        migrations: those that would run.
        definitions: networks and volumes of another definition.
        lost: what of the live release, which a deploy that fails goes back to, the host has no
            more.
        reloads: the services that take secrets anew while they run.
        register: the app that TrueNAS is to be told of; empty when it knows it, or is not to.
        snapshot: what is taken of the data before the migrations; None when nothing is.
        no_snapshot: why nothing is, though there are migrations; else empty.
        pull: what the host gets from a registry; None when that is nothing.
        outage: the services that all stop while TrueNAS starts them anew, for it can't replace one
            by one (mode ``app-only``).
    """

    release: str
    bytes_to_send: int
    containers: tuple[ContainerChange, ...]
    migrations: tuple[PendingMigration, ...] = ()
    definitions: tuple[DefinitionChange, ...] = ()
    lost: tuple[Loss, ...] = ()
    reloads: tuple[SecretChange, ...] = ()
    register: str = ""
    snapshot: Taken | None = None
    no_snapshot: str = ""
    pull: Pulling | None = None
    outage: tuple[str, ...] = ()

    @property
    def gone(self) -> tuple[Loss, ...]:
        """What of the live release stays lost."""
        return tuple(one for one in self.lost if not one.anew)

    @property
    def one_way(self) -> bool:
        """Whether the way back needs what stays lost.

        Of what is rolled the old containers are there until the new release is live.
        """
        return bool(self.gone and self.services("recreate", "remove"))

    @property
    def touched(self) -> int:
        """How many services' containers change."""
        return sum(change.action != "keep" for change in self.containers)

    def services(self, *actions: str) -> tuple[str, ...]:
        """The services that some of these actions are done to."""
        return tuple(one.service for one in self.containers if one.action in actions)

    @property
    def downtimes(self) -> dict[str, float]:
        """The services that are expected not to answer for a while, and for how many seconds."""
        return {one.service: one.downtime_s for one in self.containers if one.downtime_s}

    @property
    def downtime_s(self) -> float:
        """The longest that a service is expected not to answer, in seconds."""
        return max((change.downtime_s for change in self.containers), default=0.0)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (
            self.touched
            or self.bytes_to_send
            or self.pull
            or self.migrations
            or self.definitions
            or self.reloads
        )

    def to_json(self) -> dict[str, object]:
        """What ``plan --json`` prints."""
        return {
            "release": self.release,
            "bytes_to_send": self.bytes_to_send,
            "downtime_s": self.downtime_s,
            "containers": [change.to_json() for change in self.containers],
            "migrations": [migration.to_json() for migration in self.migrations],
            "definitions": [definition.to_json() for definition in self.definitions],
            "lost": [loss.to_json() for loss in self.lost],
            "reloads": [one.to_json() for one in self.reloads],
            "register": self.register,
            "snapshot": self.snapshot.to_json() if self.snapshot else None,
            "no_snapshot": self.no_snapshot,
            "pull": self.pull.to_json() if self.pull else None,
            "outage": list(self.outage),
        }
