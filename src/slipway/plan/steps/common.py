"""What several steps share: beliefs, Compose's commands, and the way back to what ran before."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from slipway.ledger.entries import Link
from slipway.ledger.layout import CURRENT, dump_file, release_folder
from slipway.ledger.release import Database, Release
from slipway.ledger.scale import Scale
from slipway.plan.actions import Action, Compose, Remove, Retire, Roll, Watch, Write
from slipway.plan.draft import Draft
from slipway.plan.rolling import phases
from slipway.plan.step import Belief
from slipway.plan.steps.asked import asked_back
from slipway.plan.steps.stay import found_again, leave, stay, take_down
from slipway.plan.values import Plan
from slipway.runner.containers import Container, fingerprint, standing
from slipway.runner.expected import Expected
from slipway.stack.health import health_check
from slipway.stack.project import ONLY

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


def up(draft: Draft, flags: Collection[str], names: Collection[str] = ()) -> Compose:
    """``compose up`` with what is on the host already: nothing is pulled or built.

    Args:
        draft: of whose release.
        flags: Compose's.
        names: the services; all when empty.
    """
    stack = draft.wanted.stack
    checks = [health_check(stack.services[name]) for name in names]
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


def anew(draft: Draft, names: Collection[str]) -> tuple[Action, ...]:
    """Put new containers of services in the place of those there are, and touch nothing else.

    Not by ``up --no-deps --force-recreate``: Compose counts what a service depends on into its hash
    (2.26), and would make what was started without anew at the next ``up``.
    """
    gone = Compose(draft.release.id, ("rm", "--stop", "--force", *names), _DOWN_S)
    return (gone, up(draft, ("--no-recreate",), names))


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
    return (Compose(draft.release.id, ("unpause", *names), _WAKE_S), *anew(draft, names))


def needs_rolled(draft: Draft, names: Iterable[str]) -> bool:
    """Whether one of these services needs one that is rolled.

    Compose, told to bring it up, would bring up the rolled one as well, and end those beside it.
    """
    stack, rolled = draft.wanted.stack, set(draft.plan.services("roll"))
    return any(rolled & set(stack.dependencies(name)) for name in names if name in stack.services)


def put_back(
    release: Release,
    plan: Plan,
    scale: Scale,
    there: Iterable[Container] = (),
    *,
    alone: bool = False,
) -> tuple[Action, ...]:
    """Bring everything back to a recorded release, as gently as it was left.

    What is stopped first goes back first: what is rolled may need it. Its images, config files and
    secret versions are still on the host: pruning comes last.

    Args:
        release: with the host's own numbers of containers.
        plan: what is undone.
        scale: those numbers.
        there: the containers that ran before.
        alone: whether what is stopped has to come back without what it needs, since that is rolled.
    """
    wanted = release.expected or tuple(
        Expected(service, 1, _DEADLINE_S) for service in release.hashes
    )
    limit = _SPARE_S + sum(one.deadline_s for one in wanted)
    # What was created, too: it did not run, but was released, and may be of the new definition now.
    changed = plan.services("create", "recreate", "remove")
    stopped = [one for one in changed if one in release.hashes]
    rolled = found_again(release, plan, tuple(there))
    counts = scale_flags(scale, release.hashes)
    as_is = ("--no-recreate",) if rolled else ()
    everything = Compose(release.id, (*_UP, "--remove-orphans", *as_is, *counts), limit)
    gently: list[Action] = []
    if stopped:
        # By name, so that Compose does not stop what depends on them. What this deploy created may
        # have a port that is wanted back.
        further = ("--remove-orphans", *(("--no-deps",) if alone else ()))
        flags = (*further, *scale_flags(scale, stopped))
        gently.append(Compose(release.id, (*_UP, *flags, *stopped), limit))
    if rolled:
        edge = release.edge.get("service", "")
        gently += [Roll(release.id, one) for one in phases(rolled, edge)]
        gently.append(Retire(rolled))
    return (
        *gently,
        everything,
        Watch(wanted),
        Write((Link(CURRENT, release_folder(release.id)),)),
    )


STOP_S = 300.0
PIPE_S = 1800.0


def stop(release: str, services: Iterable[str], needs: str = "") -> tuple[Action, ...]:
    """Stop services, each within its own grace period."""
    names = tuple(services)
    return (Compose(release, ("stop", *names), STOP_S, needs=needs),) if names else ()


def dump(release: str, database: Database, file: str) -> Compose:
    """Keep the database in a file of the application's folder."""
    argv = ("exec", "-T", database.dump.service, *database.dump.command)
    failed = "the database could not be dumped, so it was not touched"
    return Compose(release, argv, PIPE_S, failed, output=file)


def restore(release: str, database: Database, file: str, needs: str = "") -> Compose:
    """Have the database as it was when a file was made of it."""
    argv = ("exec", "-T", database.restore.service, *database.restore.command)
    failed = "the database could not be put back; it stays as it is"
    return Compose(release, argv, PIPE_S, failed, input=file, needs=needs)


def needs_downtime(draft: Draft) -> bool:
    """Whether what uses the database is stopped for a migration, and there is a way back."""
    live = draft.seen.memory.records.live
    return live is not None and any(one.downtime for one in draft.plan.migrations)


def _data_back(draft: Draft) -> tuple[Action, ...]:
    """The database as it was before a migration that the release before can't run on."""
    release = draft.release
    if not needs_downtime(draft) or not release.database.restore.service:
        return ()
    file = dump_file(release.id)
    back = restore(release.id, release.database, file, needs=file)
    return (*stop(release.id, release.database.users, needs=file), back)


def undo(draft: Draft) -> tuple[Action, ...]:
    """The way back to what ran before this deploy."""
    if draft.wanted.stack.mode == ONLY:
        return asked_back(draft)
    live = draft.seen.memory.records.live
    if live is None:
        there = standing(draft.seen.engine.containers)
        return leave(draft, there) if there else take_down(draft.release.id)
    if draft.plan.gone:
        return stay(draft, live)
    networks = changed_networks(draft)
    there = draft.seen.engine.containers
    alone = needs_rolled(draft, draft.plan.services("create", "recreate"))
    back = put_back(live, draft.plan, draft.seen.memory.scale, there, alone=alone)
    if networks:
        back = (*detach(live, draft), Remove(networks=networks), *back)
    return (*_data_back(draft), *back)


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
