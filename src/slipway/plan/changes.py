"""Decide what a deploy does, from what should be and what was seen. Pure.

Docker Compose would find out most of this by itself while doing it; it is worked out beforehand
so that a person can look at it, and so that nothing at all is done when nothing changed. It is one
module because the rules look at each other: what is rolled depends on what is made anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from slipway.hosts.inspect import EngineState
from slipway.hosts.networks import Network
from slipway.ledger.release import Release, ReleaseImage
from slipway.plan.drift import differences, restarted
from slipway.plan.handed import bare, secret_changes
from slipway.plan.outage import ENDED, UNWANTED, all_anew
from slipway.plan.values import ContainerChange, DefinitionChange, PendingMigration, Plan
from slipway.plan.wanted import Seen
from slipway.runner.containers import Container, standing
from slipway.runner.durations import seconds
from slipway.stack.health import health_check, replicas
from slipway.stack.model import Stack
from slipway.stack.ports import published_ports
from slipway.stack.project import ONLY, is_app
from slipway.stack.shape import Shape, network_name

_STOP_GRACE_S = 10.0

UNHEALTHY = "unhealthy"
_UNNAMED = "known once the new image is on the host"
_ASKED = "known once the database, which is started anew, was asked"


def to_register(stack: Stack, engine: EngineState) -> str:
    """The app that TrueNAS is to be told of; empty when it knows it, or is not to.

    TrueNAS ends what a project has before it starts an app that it is told of, so it is told when
    nothing stands.
    """
    if not is_app(stack.mode) or engine.app or standing(engine.containers):
        return ""
    return stack.application


def make_plan(
    stack: Stack,
    release: Release,
    seen: Seen,
    *,
    bytes_to_send: int,
    downtimes: Collection[str] = (),
    shapes: Mapping[str, Shape] | None = None,
) -> Plan:
    """What to do so that ``release`` is live.

    Args:
        stack: the services.
        release: images, configuration hashes and secret versions wanted.
        seen: what the host holds.
        bytes_to_send: image bytes the host lacks.
        shapes: service to what its containers should be made of; without it that is not looked at.
        downtimes: migrations after which the code before can't go on.

    Returns:
        A plan whose ``release`` is the current one's id when there is nothing to do.
    """
    live = seen.memory.records.live
    definitions = _definitions(stack, release, live, seen.engine.networks)
    wanted = _Wanted(stack, release, live, shapes or {}, bare(live, seen.memory.handed))
    changes = _changes(wanted, seen.engine.containers, definitions)
    migrations = tuple(
        replace(one, downtime=one.revision in downtimes)
        for one in pending(stack, release, live, changes)
    )
    changes = _follow_migrations(stack, changes, migrations)
    reloads = secret_changes(release, live, changes, seen.memory.handed)
    plan = Plan(
        release.id,
        bytes_to_send,
        changes,
        migrations,
        definitions,
        reloads=reloads,
        register=to_register(stack, seen.engine),
    )
    if plan.empty and live is not None and same_content(release, live):
        return Plan(live.id, 0, changes)
    return all_anew(stack, plan)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What containers are compared with.

    Attributes:
        stack: the services.
        release: what is to be live.
        live: what is.
        shapes: service to what its containers should be made of.
        bare: services whose folder of secrets is gone, or new under them.
    """

    stack: Stack
    release: Release
    live: Release | None
    shapes: Mapping[str, Shape]
    bare: frozenset[str]


def same_content(new: Release, old: Release) -> bool:
    """Whether two releases are the same but for their names, makers and times."""
    return (new.compose, new.secrets, new.files, _digests(new.images)) == (
        old.compose,
        old.secrets,
        old.files,
        _digests(old.images),
    )


def _digests(images: Mapping[str, ReleaseImage]) -> dict[str, str]:
    return {role: image.config_digest for role, image in images.items()}


def _definitions(
    stack: Stack, release: Release, live: Release | None, there: Sequence[Network] | None
) -> tuple[DefinitionChange, ...]:
    """Networks and volumes that are there already, of another definition."""
    if live is None:
        return ()
    found = []
    for name, digest in release.networks.items():
        services = tuple(one for one in stack.standing if name in stack.networks_of(one))
        made_by_hand = name in live.networks and _differs(stack, name, there or ())
        if made_by_hand or _other_network(name, digest, services, release, live):
            found.append(DefinitionChange("network", name, "recreate", services))
    for name, digest in release.volumes.items():
        if live.volumes.get(name, digest) != digest:
            found.append(DefinitionChange("volume", name, "refuse"))
    return tuple(found)


def _differs(stack: Stack, name: str, there: Sequence[Network]) -> bool:
    """Whether somebody made a network anew that is not what the Compose file says."""
    body = (stack.document.get("networks") or {}).get(name) or {}
    known = network_name(stack.document, name)
    return any(
        one.internal != bool(body.get("internal"))
        or one.driver != (body.get("driver") or one.driver)
        for one in there
        if one.name == known
    )


def _other_network(
    name: str, digest: str, services: Sequence[str], release: Release, live: Release
) -> bool:
    """Whether a network is there with another definition.

    A record of before networks were recorded tells nothing of them; the services on one do, whose
    hashes its definition is a part of.
    """
    if live.networks:
        return live.networks.get(name, digest) != digest
    return any(release.hashes[one] != live.hashes.get(one) for one in services)


def _changes(
    wanted: _Wanted, seen: tuple[Container, ...], definitions: Sequence[DefinitionChange]
) -> tuple[ContainerChange, ...]:
    stack = wanted.stack
    by_service: dict[str, list[Container]] = {}
    for container in standing(seen):
        by_service.setdefault(container.service, []).append(container)
    changes = {
        service: _change(wanted, service, by_service.get(service, [])) for service in stack.standing
    }
    _follow_networks(stack, changes, definitions)
    _follow_restarts(stack, changes)
    gone = [name for name in sorted(by_service) if name not in stack.standing]
    for service in gone:
        changes[service] = ContainerChange(
            service, "remove", "the stack has no such service any more"
        )
    return tuple(changes.values())


def _change(wanted: _Wanted, service: str, containers: Sequence[Container]) -> ContainerChange:
    stack, body = wanted.stack, wanted.stack.services[service]
    if not containers and not replicas(body):
        return ContainerChange(service, "keep", UNWANTED)
    if not containers and _ended_before(wanted, service):
        return ContainerChange(service, "keep", ENDED)
    if not containers:
        return ContainerChange(service, "create", "not running")
    rolls = service in stack.rolled and any(one.state == "running" for one in containers)
    rolls = rolls and not _has_port_of_another(stack, service, containers)
    old: tuple[str, ...] = ()
    reason = _reason(wanted, service, containers)
    if reason is None:
        reason, old = _drifted(wanted, service, containers)
    again = next(filter(None, map(restarted, containers)), "")
    if not reason and again and rolls:
        reason, old = again, tuple(one.id for one in containers if one.restarts)
    if not reason:
        return ContainerChange(service, "keep", again or "unchanged")
    if rolls and replicas(body):
        return ContainerChange(service, "roll", reason, old=old)
    return ContainerChange(service, "recreate", reason, downtime(body), old)


def _ended_before(wanted: _Wanted, service: str) -> bool:
    """Whether a piece of work was done by the live release, whose container somebody removed."""
    stack, release, live = wanted.stack, wanted.release, wanted.live
    if stack.mode != ONLY or live is None or not stack.ends(service):
        return False
    role = stack.roles.get(service, "")
    new, old = release.images.get(role), live.images.get(role)
    same = new is not None and old is not None and new.config_digest == old.config_digest
    return same and live.hashes.get(service) == release.hashes[service]


def _has_port_of_another(stack: Stack, service: str, containers: Sequence[Container]) -> bool:
    """Whether it publishes a port that another service now wants, which can't start beside it."""
    others = [one for one in stack.standing if one != service]
    wanted = set(published_ports(stack.services, others))
    return any(wanted & set(one.ports) for one in containers)


def _reason(wanted: _Wanted, service: str, containers: Sequence[Container]) -> str | None:
    stack, release = wanted.stack, wanted.release
    image = release.images.get(stack.roles.get(service, ""))
    if image is not None and not all(image.is_id(one.image_id) for one in containers):
        return "image changed"
    if stack.mode == ONLY and not all(one.config for one in containers):
        return "nobody can tell what it was made from"
    if any(one.config != release.hashes[service] for one in containers):
        changed = _changed_secrets(stack, release, wanted.live, service)
        return f"secret changed: {', '.join(changed)}" if changed else "configuration changed"
    if service in wanted.bare:
        return "its secrets are gone from the host"
    if len(containers) != replicas(stack.services[service]):
        return f"{len(containers)} containers run instead of {replicas(stack.services[service])}"
    ends = stack.ends(service)
    if any(one.state != "running" and not (ends and one.ended) for one in containers):
        return "not running"
    return None


def _drifted(
    wanted: _Wanted, service: str, containers: Sequence[Container]
) -> tuple[str, tuple[str, ...]]:
    """What is wrong with containers of the right image and definition, and which they are."""
    found: dict[str, str] = {}
    shape = wanted.shapes.get(service)
    for one in containers:
        if one.health == "unhealthy":
            found[one.id] = UNHEALTHY
        elif shape is not None and (what := differences(shape, one)):
            found[one.id] = "; ".join(what)
    return next(iter(found.values()), ""), tuple(found)


def _changed_secrets(
    stack: Stack, release: Release, current: Release | None, service: str
) -> list[str]:
    if current is None:
        return []
    names = [one["source"] for one in stack.services[service].get("secrets") or ()]
    return [name for name in names if release.secrets.get(name) != current.secrets.get(name)]


def _follow_networks(
    stack: Stack, changes: dict[str, ContainerChange], definitions: Sequence[DefinitionChange]
) -> None:
    """Services on a network that is made anew go down with it."""
    for definition in definitions:
        for service in definition.services:
            if changes[service].action in ("keep", "roll"):
                changes[service] = ContainerChange(
                    service,
                    "recreate",
                    f"the {definition.kind} {definition.name} is made anew",
                    downtime(stack.services[service]),
                )


def _follow_restarts(stack: Stack, changes: dict[str, ContainerChange]) -> None:
    """Services whose ``depends_on`` says ``restart: true`` go down with what they depend on."""
    for _ in changes:
        for service, change in changes.items():
            if change.action != "keep":
                continue
            for name, body in (stack.services[service].get("depends_on") or {}).items():
                restarts = isinstance(body, dict) and body.get("restart") is True
                if restarts and name in changes and changes[name].action in ("recreate", "roll"):
                    changes[service] = ContainerChange(
                        service,
                        "recreate",
                        f"restarts with {name}",
                        downtime(stack.services[service]),
                    )


def _follow_migrations(
    stack: Stack, changes: Sequence[ContainerChange], migrations: Sequence[PendingMigration]
) -> tuple[ContainerChange, ...]:
    """What uses the database is stopped for a migration that the code before can't go on after."""
    names = [one.revision for one in migrations if one.downtime]
    if not names:
        return tuple(changes)
    reason = f"stopped for the migration {', '.join(names)}"
    return stopped(stack, changes, stack.database_users, reason)


def stopped(
    stack: Stack, changes: Sequence[ContainerChange], services: Collection[str], reason: str
) -> tuple[ContainerChange, ...]:
    """The changes with some services stopped in any case.

    Args:
        stack: the services.
        changes: what would be done else.
        services: those to stop.
        reason: why, for those that would go on.
    """
    found = []
    for one in changes:
        if one.service in services and one.action in ("keep", "roll"):
            seconds_ = downtime(stack.services[one.service])
            one = ContainerChange(one.service, "recreate", reason, seconds_)
        found.append(one)
    return tuple(found)


def downtime(body: Mapping[str, Any]) -> float:
    """Seconds from the stop of the old container to the first good health check of the new one.

    Stopping is reckoned as a tenth of the grace period, which is the longest it may take, not what
    a service that heeds its stop signal needs.
    """
    grace = seconds(body.get("stop_grace_period"), _STOP_GRACE_S)
    check = health_check(body)
    return round(grace / 10 + (check.first_answer_s if check else 1.0), 1)


def pending(
    stack: Stack, release: Release, live: Release | None, changes: Sequence[ContainerChange]
) -> tuple[PendingMigration, ...]:
    """The migrations that would run.

    None when they are those the live release ran, on a database that was not touched since; a
    database that has to be started may be another one. Where the stack names the folder of its
    migrations, those that the live release did not have are named by their files.
    """
    service = stack.migration.service
    if not service:
        return ()
    touched = {change.service for change in changes if change.action != "keep"}
    same_database = live is not None and not touched & set(stack.dependencies(service))
    if live is not None and same_database and _same_migrations(stack, release, live):
        return ()
    known = set(live.revisions) if live is not None else set()
    named = [name for name in release.revisions if name not in known]
    if named:
        return tuple(PendingMigration(name, "") for name in named)
    return (PendingMigration("", _UNNAMED if same_database else _ASKED),)


def _same_migrations(stack: Stack, release: Release, live: Release) -> bool:
    role = stack.roles.get(stack.migration.service, "")
    new, old = release.images.get(role), live.images.get(role)
    if new is not None and old is not None and new.config_digest == old.config_digest:
        return True
    return bool(release.migrations) and release.migrations == live.migrations
