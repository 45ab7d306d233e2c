"""What runs on a host, and where it differs from what was released. Pure but for :func:`read`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from slipway.act.doors import Doors
from slipway.act.project import of_live
from slipway.act.seeing import see
from slipway.ledger.journal import TakenDown
from slipway.ledger.release import Release
from slipway.ledger.runs import ALIVE, LOST, LastRun
from slipway.operate.certificate import Shown, ends_soon, read_shown
from slipway.plan.drift import differences, restarted
from slipway.plan.loss import lost
from slipway.report import table
from slipway.runner.containers import Container, standing
from slipway.stack.project import ONLY
from slipway.stack.shape import Shape, read_shapes


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One container of a service, or its absence.

    Attributes:
        service: its name.
        role: the role whose image it should run; empty for one that isn't ours.
        state: Docker's word, or ``missing``.
        health: ``healthy``, ``unhealthy``, ``starting``, or ``none`` without a health check.
        image_digest: id of the image it runs; empty when missing.
        restarts: how often Docker started it again.
        container: Docker's name of it; empty when missing.
    """

    service: str
    role: str
    state: str
    health: str
    image_digest: str
    restarts: int
    container: str = ""

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "service": self.service,
            "role": self.role,
            "state": self.state,
            "health": self.health,
            "image_digest": self.image_digest,
            "restarts": self.restarts,
            "container": self.container,
        }


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference between what was released and what runs.

    Attributes:
        service: where; empty for the release itself.
        what: such as ``missing`` or ``runs another image``.
    """

    service: str
    what: str

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {"service": self.service, "what": self.what}

    def __str__(self) -> str:
        return f"{self.service or 'the release'} {self.what}"


@dataclass(frozen=True, slots=True)
class Status:
    """What ``status`` reports.

    Attributes:
        host: its name.
        release: id of the live release, or None.
        url: where it is reached, or None.
        services: one entry for each container, and one for each service without.
        drift: differences from the release.
        run: what is being changed there now, or was and was broken off; None otherwise.
        down: by whom and when it was taken down; None otherwise.
        warnings: what there can't be read and is not needed, and a certificate that ends soon, a
            sentence each.
        certificate: what the stack shows; None where it speaks no TLS, or does not answer.
    """

    host: str
    release: str | None
    url: str | None
    services: tuple[ServiceStatus, ...]
    drift: tuple[Drift, ...]
    run: LastRun | None = None
    down: TakenDown | None = None
    warnings: tuple[str, ...] = ()
    certificate: Shown | None = None

    @property
    def well(self) -> bool:
        """Whether all that was released runs, healthy, and nothing else does."""
        words = ("healthy", "none")
        return (
            self.release is not None
            and self.down is None
            and not self.drift
            and all(one.health in words for one in self.services)
        )

    def to_json(self) -> dict[str, object]:
        """What ``status --json`` prints."""
        return {
            "host": self.host,
            "release": self.release,
            "url": self.url,
            "services": [service.to_json() for service in self.services],
            "drift": [drift.to_json() for drift in self.drift],
            "run": self.run.to_json() if self.run else None,
            "down": self.down.to_json() if self.down else None,
            "certificate": self.certificate.to_json() if self.certificate else None,
            "warnings": list(self.warnings),
        }


def make_status(
    host: str,
    live: Release | None,
    containers: Sequence[Container],
    shapes: Mapping[str, Shape] | None = None,
) -> Status:
    """Compare what runs with what was released. Pure.

    Args:
        host: its name.
        live: the live release.
        containers: the application's.
        shapes: service to what its containers should be made of; without it that is not compared.
    """
    hashes = live.hashes if live else {}
    roles = live.roles if live else {}
    work = _work(live)
    there = [one for one in containers if not one.one_off]
    standing = [one for one in there if not (one.service in work and one.ended)]
    services = [_service(one, roles) for one in standing]
    known = shapes or {}
    drift = [
        difference
        for one in standing
        for difference in (
            *_differences(one, live),
            *(_shaped(one, known[one.service]) if one.service in known else ()),
        )
    ]
    present = Counter(one.service for one in there)
    wanted = {one.service: one.containers for one in live.expected} if live else {}
    for name in hashes:
        count, right = present[name], wanted.get(name, max(1, present[name]))
        if count and count != right:
            drift.append(Drift(name, f"has {count} containers instead of {right}"))
        elif not count and right and name not in work:
            services.append(ServiceStatus(name, roles.get(name, ""), "missing", "none", "", 0))
            drift.append(Drift(name, "missing"))
    return Status(
        host,
        live.id if live else None,
        live.url if live else None,
        tuple(sorted(services, key=lambda one: (one.service, one.container))),
        tuple(sorted(drift, key=lambda one: (one.service, one.what))),
    )


def _work(live: Release | None) -> set[str]:
    """What ends before the others start, where TrueNAS starts all: it is none that stands."""
    if live is None or live.mode != ONLY:
        return set()
    return {one.service for one in live.expected if one.ends}


def _service(one: Container, roles: Mapping[str, str]) -> ServiceStatus:
    return ServiceStatus(
        one.service,
        roles.get(one.service, ""),
        one.state,
        one.health or "none",
        one.image_id,
        one.restarts,
        one.name,
    )


def _differences(one: Container, live: Release | None) -> list[Drift]:
    if live is None or one.service not in live.hashes:
        return [Drift(one.service, "is no service of the release")]
    found = []
    image = live.images.get(live.roles.get(one.service, ""))
    if image is not None and not image.is_id(one.image_id):
        found.append(Drift(one.service, "runs another image"))
    if one.config != live.hashes[one.service]:
        found.append(Drift(one.service, "has another configuration"))
    ends = {expected.service for expected in live.expected if expected.ends}
    if one.state != "running" and not (one.service in ends and one.ended):
        found.append(Drift(one.service, f"is {one.state}"))
    if one.health == "unhealthy":
        found.append(Drift(one.service, "is unhealthy"))
    if again := restarted(one):
        found.append(Drift(one.service, again))
    return found


def _shaped(one: Container, shape: Shape) -> list[Drift]:
    return [Drift(one.service, what) for what in differences(shape, one)]


def read_status(doors: Doors) -> Status:
    """Ask a host.

    Raises:
        HostError: it can't be asked.
        DeployError: the live release's record can't be read.
    """
    memory = doors.folder.read()
    live = memory.records.live
    doors = of_live(doors, live)
    seen = see(doors, memory)
    whole = live is not None and live.id not in memory.bare
    compose = doors.host.read(doors.compose_file(live.id)) if live and whole else None
    shapes = read_shapes(compose) if compose else {}
    status = make_status(doors.host.name, live, seen.engine.identified, shapes)
    down = memory.down if live and not standing(seen.engine.containers) else None
    gone = [Drift("", f"has lost {one}") for one in lost(live, seen)] if live else []
    shown = read_shown(doors, live.url) if live and not down else None
    run = memory.run if memory.run and memory.run.state in (ALIVE, LOST) else None
    return replace(
        status,
        drift=(*gone, *(() if down else status.drift)),
        run=run,
        down=down,
        warnings=(*memory.warnings, *ends_soon(shown)),
        certificate=shown,
    )


def status_text(status: Status) -> str:
    """A status for people."""
    lines = [f"{status.host}: {status.release or 'nothing is deployed'}"]
    if down := status.down:
        by = f" by {down.who}" if down.who else ""
        at = f" at {down.at[:19].replace('T', ' ')} (UTC)" if down.at else ""
        lines += ["", f"was taken down{by}{at}; data was kept. ./inv deploy brings it back"]
    elif status.services:
        lines += ["", _services(status.services)]
    if status.drift:
        lines += ["", "differs from the release:"]
        lines += [f"  {drift}" for drift in status.drift]
    lines += [f"\n{warning}" for warning in status.warnings]
    if run := status.run:
        ends = "goes on" if run.state == ALIVE else "was broken off; ./inv deploy ends it first"
        lines += ["", f"`{run.what}` of {run.who}, begun {run.since}, {ends}"]
    if status.url and not status.down:
        lines += ["", status.url]
        lines += [str(status.certificate)] if status.certificate else []
    return "\n".join(lines)


def _services(services: Sequence[ServiceStatus]) -> str:
    """The table of them; where there are several containers of one, with their names."""
    count = Counter(one.service for one in services)
    several = any(number > 1 for number in count.values())
    rows = []
    for one in services:
        name = (one.container if count[one.service] > 1 else "",) if several else ()
        image, restarts = _short(one.image_digest), str(one.restarts)
        rows.append((one.service, *name, one.role, one.state, one.health, image, restarts))
    names = ("container",) if several else ()
    return table(rows, head=("service", *names, "role", "state", "health", "image", "restarts"))


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
