"""What runs on a host, held against the images that somebody signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from slipway.act.doors import Doors
from slipway.act.seeing import see
from slipway.errors import BuildError
from slipway.ledger.release import Release
from slipway.operate.standing import live_of
from slipway.plan.wanted import Seen
from slipway.report import table
from slipway.runner.containers import Container

#: Role to the ids that Docker may have for its image.
Ids: TypeAlias = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Running:
    """An image that a release uses on a host.

    Attributes:
        service: that runs it; empty for an image that only single runs use.
        container: Docker's name; empty likewise.
        role: whose image it is; empty for one that was not built here, of which there is no bill.
        image_digest: Docker's id of it.
    """

    service: str
    container: str
    role: str
    image_digest: str

    def __str__(self) -> str:
        return self.container or f"a single run of {self.role}"

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "service": self.service,
            "container": self.container,
            "role": self.role,
            "image_digest": self.image_digest,
        }


@dataclass(frozen=True, slots=True)
class Attested:
    """What runs on a host, and is what somebody signed.

    Attributes:
        host: its name.
        release: id of the live release.
        signer: who signed.
        images: one entry a container, and one for each image that only single runs use.
    """

    host: str
    release: str
    signer: str
    images: tuple[Running, ...]

    @property
    def talk(self) -> str:
        """A remark on services with images that were not built here; empty without one."""
        foreign = dict.fromkeys(one.service for one in self.images if not one.role)
        return f"not built here, so without a bill: {', '.join(foreign)}" if foreign else ""

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return {
            "host": self.host,
            "release": self.release,
            "signer": self.signer,
            "images": [one.to_json() for one in self.images],
        }

    def to_text(self) -> str:
        """The form that people read."""
        rows = [
            (one.service or "-", one.container or "-", one.role or "-", _short(one.image_digest))
            for one in self.images
        ]
        whole = f"{self.host}: {self.release} is what {self.signer} signed"
        return f"{table(rows, head=('SERVICE', 'CONTAINER', 'ROLE', 'IMAGE'))}\n\n{whole}"


def hold_against(doors: Doors, signer: str, signed: Ids) -> Attested:
    """See that what runs on a host is what somebody signed; nothing is built for that.

    Args:
        doors: to the host.
        signer: who signed.
        signed: what.

    Raises:
        BuildError: something else runs there; all of it is named.
        DeployError: nothing is deployed there.
        HostError: it can't be asked.
    """
    host = doors.host.name
    seen = see(doors)
    live = live_of(doors, seen.memory.records)
    images = used(live, seen)
    if problems := strangers(live, images, signed):
        raise BuildError(
            f"what runs on {host} is not what {signer} signed; nothing was touched",
            details=[*problems, *_instead(seen, signed)],
            hint=f"compare ./inv releases --host {host}: deploy what was signed, or have what runs "
            "there signed",
            stage="bills",
        )
    return Attested(host, live.id, signer, images)


def _instead(seen: Seen, signed: Ids) -> list[str]:
    """Which release was signed, if the host remembers it and another one is live."""
    records = seen.memory.records
    fitting = [
        one.id
        for one in records.releases
        if one.images
        and all(image.config_digest in signed.get(role, ()) for role, image in one.images.items())
    ]
    if not fitting or records.current in fitting:
        return []
    return [f"what was signed is {fitting[0]}, which is not live"]


def used(live: Release, seen: Seen) -> tuple[Running, ...]:
    """The images that a release uses, with the containers that run them. Pure.

    Args:
        live: the release.
        seen: what the host held. Of a single run only a container that still runs counts.
    """
    images = seen.engine.images.references
    counted = [one for one in seen.engine.identified if not one.one_off or one.state == "running"]
    running = [_running(one, live) for one in counted]
    busy = {one.role for one in running}
    jobs = [
        Running("", "", role, images[image.reference])
        for role, image in sorted(live.images.items())
        if role not in busy and image.reference in images
    ]
    return (*sorted(running, key=lambda one: (one.service, one.container)), *jobs)


def _running(one: Container, live: Release) -> Running:
    if one.service in live.hashes:
        role = live.roles.get(one.service, "")
    else:  # a single run, or nobody's: the release remembers no role of it
        own = (role for role, image in live.images.items() if image.is_id(one.image_id))
        role = next(own, "")
    return Running(one.service, one.name, role, one.image_id)


def strangers(live: Release, images: Sequence[Running], signed: Ids) -> list[str]:
    """Which images are not those that were signed, a phrase each. Pure.

    Args:
        live: the release.
        images: those that it uses.
        signed: their ids.
    """
    told = [(one, _strange(one, live, signed)) for one in images]
    return [f"{one} {what}" for one, what in told if what]


def _strange(one: Running, live: Release, signed: Ids) -> str:
    """What is wrong with an image; empty for nothing."""
    short = _short(one.image_digest)
    if not one.role:
        return "" if one.service in live.hashes else f"has the image {short}, of no bill"
    if one.image_digest in signed.get(one.role, ()):
        return ""
    if one.role not in signed:
        return f"has an image of {one.role}, of which no bill was signed"
    other = [role for role, ids in signed.items() if one.image_digest in ids]
    which = f"that of {', '.join(other)}" if other else "of no bill"
    return f"has the image {short}, {which}; signed for {one.role} is {_short(signed[one.role][0])}"


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
