"""What several steps share: beliefs, Compose's commands, and the way back to what ran before."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from slipway.ledger.entries import Link
from slipway.ledger.layout import CURRENT, release_folder
from slipway.ledger.release import Release
from slipway.ledger.scale import Scale
from slipway.plan.actions import Action, Compose, Remove, Retire, Roll, Watch, Write
from slipway.plan.draft import Draft
from slipway.plan.rolling import phases
from slipway.plan.step import Belief
from slipway.plan.values import Plan
from slipway.runner.containers import fingerprint, standing
from slipway.runner.expected import Expected
from slipway.stack.health import health_check

UNUSED = "what nothing uses yet does no harm; the next deploy finds it, or prunes it"
_SPARE_S = 120.0
_DOWN_S = 300.0
_WAKE_S = 60.0
_DEADLINE_S = 300
_UP = ("up", "--detach", "--no-build", "--pull", "never")


def belief(draft: Draft) -> Belief:
    """What a draft takes to be true until its first change of what runs."""
    return Belief(draft.seen.memory.records.current, fingerprint(draft.seen.engine.containers))


def later(draft: Draft) -> Belief:
    """What is left of that once services were changed."""
    return Belief(draft.seen.memory.records.current)


def first_touch(draft: Draft, *before: object) -> Belief:
    """The belief of a step that changes what runs, unless one ``before`` it did already."""
    return later(draft) if any(before) else belief(draft)


def up(
    draft: Draft, flags: Collection[str], names: Collection[str] = (), waited: Iterable[str] = ()
) -> Compose:
    """``compose up`` with what is on the host already: nothing is pulled or built.

    Args:
        draft: of whose release.
        flags: Compose's.
        names: the services; all when empty.
        waited: those it may have to wait for, which tell how long, when they aren't ``names``.
    """
    stack = draft.wanted.stack
    checks = [health_check(stack.services[name]) for name in waited or names]
    limit = _SPARE_S + sum(check.deadline_s for check in checks if check)
    brought = set(names or stack.standing)
    if "--no-deps" not in flags:
        brought |= {needed for name in names for needed in stack.dependencies(name)}
    counts = scale_flags(draft.seen.memory.scale, brought)
    return Compose(draft.release.id, (*_UP, *flags, *counts, *names), limit)


def scale_flags(scale: Scale, services: Collection[str]) -> tuple[str, ...]:
    """Compose's flags for the host's own numbers of containers.

    Args:
        scale: the numbers.
        services: those that Compose brings up: it refuses the flag for others.
    """
    kept = sorted(name for name in scale if name in services)
    return tuple(word for name in kept for word in ("--scale", f"{name}={scale[name]}"))


def wake(draft: Draft, services: Iterable[str]) -> tuple[Action, ...]:
    """Make containers anew that somebody paused: Compose's ``up`` leaves them so.

    They are let go on first. A paused one hears no stop signal, and Docker would wait in vain.

    Args:
        draft: tells which are paused.
        services: those that are wanted running.
    """
    paused = {
        one.service for one in standing(draft.seen.engine.containers) if one.state == "paused"
    }
    names = [service for service in services if service in paused]
    if not names:
        return ()
    anew = up(draft, ("--no-deps", "--force-recreate"), names)
    return (Compose(draft.release.id, ("unpause", *names), _WAKE_S), anew)


def marked(release: Release) -> tuple[Expected, ...]:
    """What a release's services should come to, counting its own containers only.

    Those of the release before may stand beside them, and be just ending.
    """
    found = []
    for one in release.expected:
        image = release.images.get(release.roles.get(one.service, ""))
        images = (image.config_digest, image.manifest_digest) if image else ()
        found.append(replace(one, config=release.hashes[one.service], images=images))
    return tuple(found)


def put_back(release: Release, plan: Plan, scale: Scale) -> tuple[Action, ...]:
    """Bring everything back to a recorded release, as gently as it was left.

    What is stopped first goes back first: what is rolled may need it. Its images, config files and
    secret versions are still on the host: pruning comes last.

    Args:
        release: with the host's own numbers of containers.
        plan: what is undone.
        scale: those numbers.
    """
    wanted = release.expected or tuple(
        Expected(service, 1, _DEADLINE_S) for service in release.hashes
    )
    limit = _SPARE_S + sum(one.deadline_s for one in wanted)
    stopped = [one for one in plan.services("recreate", "remove") if one in release.hashes]
    rolled = tuple(one for one in release.rolling if one.service in plan.services("roll"))
    counts = scale_flags(scale, release.hashes)
    everything = Compose(release.id, (*_UP, "--remove-orphans", *counts), limit)
    gently: list[Action] = []
    if rolled:
        if stopped:
            # What this deploy created may have a port that is wanted back.
            flags = ("--no-deps", "--remove-orphans", *scale_flags(scale, stopped))
            gently.append(Compose(release.id, (*_UP, *flags, *stopped), limit))
        edge = release.edge.get("service", "")
        gently += [Roll(release.id, one) for one in phases(rolled, edge)]
        gently.append(Retire(rolled))
    return (
        *gently,
        everything,
        Watch(wanted),
        Write((Link(CURRENT, release_folder(release.id)),)),
    )


def take_down(release: str) -> tuple[Action, ...]:
    """End what a first deploy started; data stays."""
    down = ("down", "--remove-orphans", "--timeout", "30")
    return (Compose(release, down, _DOWN_S), Write((Link(CURRENT, ""),)))


def undo(draft: Draft) -> tuple[Action, ...]:
    """The way back to what ran before this deploy."""
    live = draft.seen.memory.records.live
    if live is None:
        return take_down(draft.release.id)
    networks = changed_networks(draft)
    if not networks:
        return put_back(live, draft.plan, draft.seen.memory.scale)
    back = put_back(live, draft.plan, draft.seen.memory.scale)
    return (*detach(live, draft), Remove(networks=networks), *back)


def changed_networks(draft: Draft) -> tuple[str, ...]:
    """The networks that are there with another definition."""
    return tuple(one.name for one in draft.plan.definitions if one.kind == "network")


def detach(live: Release, draft: Draft) -> tuple[Action, ...]:
    """End the services on networks that are made anew: Docker can't change one that is in use.

    Args:
        live: the release whose file knows them; one that it doesn't know is ended when the network
            is removed.
    """
    changed = [one for one in draft.plan.definitions if one.kind == "network"]
    attached = {service for one in changed for service in one.services}
    services = [service for service in live.hashes if service in attached]
    return (Compose(live.id, ("rm", "--stop", "--force", *services), _DOWN_S),) if services else ()
