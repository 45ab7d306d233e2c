"""What a deploy needs of its host. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from slipway.hosts.inspect import EngineState
from slipway.ledger.layout import CURRENT, release_folder
from slipway.plan.counts import grown, until_now
from slipway.plan.draft import Draft
from slipway.stack.model import Stack
from slipway.stack.ports import published_ports
from slipway.stack.project import ONLY, is_app
from slipway.stack.shape import network_name

_KEPT = "make the data path a dataset of its own (docs/guides/app-only.md), then deploy again"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a deploy needs.

    Attributes:
        bytes_to_send: image bytes that come there, by which way ever.
        ports: TCP ports it publishes.
        app_dir: the application's folder.
        own_ports: TCP ports that this application's running containers publish.
        made_from: Compose files that its containers were made from.
        new_volumes: Docker's names of volumes whose definition changed, which can only be made
            anew.
        way_back: why there would be none; empty when there is one.
        way_out: what to do then.
        foreign: Docker's names of networks that the stack makes and somebody else has made.
        numbers: the stack with the numbers of containers there are, and with those that are
            wanted, where these are more.
        app: the app of TrueNAS' that it is to be; empty for none.
        included: what there is by that name includes; empty when there is none.
        roles: what of TrueNAS the login user has to have a right to.
    """

    bytes_to_send: int
    ports: frozenset[int]
    app_dir: str
    own_ports: frozenset[int] = frozenset()
    made_from: frozenset[str] = frozenset()
    new_volumes: tuple[str, ...] = ()
    way_back: str = ""
    way_out: str = ""
    foreign: tuple[str, ...] = ()
    numbers: tuple[Stack, Stack] | None = None
    app: str = ""
    included: str = ""
    roles: tuple[str, ...] = ()


#: What is asked of TrueNAS where nobody has a right to Docker.
ROLES = ("APPS_WRITE", "DOCKER_READ", "FILESYSTEM_ATTRS_WRITE")
#: And what snapshots of the data take, which an unfinished migration is undone by.
SNAPSHOT_ROLES = ("DATASET_READ", "SNAPSHOT_DELETE", "SNAPSHOT_WRITE")


def needs(draft: Draft) -> Needs:
    """What a draft needs of its host."""
    wanted = draft.wanted
    volumes = wanted.stack.document.get("volumes") or {}
    return replace(
        first_needs(wanted.stack, wanted.app_dir, draft.seen.engine),
        bytes_to_send=draft.plan.bytes_to_send or (draft.plan.pull.bytes if draft.plan.pull else 0),
        new_volumes=tuple(
            (volumes[one.name] or {}).get("name", one.name)
            for one in draft.plan.definitions
            if one.kind == "volume"
        ),
        way_back=no_way_back(draft),
        way_out=way_out(draft),
        numbers=numbers(draft),
        roles=roles(wanted.stack, snapshots=wanted.snapshots),
    )


def first_needs(stack: Stack, app_dir: str, engine: EngineState) -> Needs:
    """What can be said before any image is built.

    Args:
        stack: what is to stand there.
        app_dir: the application's folder.
        engine: what the host's Docker holds.
    """
    containers = engine.containers
    return Needs(
        bytes_to_send=0,
        ports=frozenset(published_ports(stack.services, stack.standing)),
        app_dir=app_dir,
        own_ports=frozenset(
            port for one in containers if one.state == "running" for port in one.ports
        ),
        made_from=frozenset(one.file for one in containers if one.file),
        foreign=_foreign(stack, engine),
        app=stack.application if is_app(stack.mode) else "",
        included=engine.app,
        roles=roles(stack),
    )


def roles(stack: Stack, *, snapshots: bool = False) -> tuple[str, ...]:
    """The roles in TrueNAS that a deploy takes.

    Args:
        stack: what is to stand there.
        snapshots: whether snapshots of the data are wanted.
    """
    if stack.mode != ONLY:
        return ()
    return (*ROLES, *(SNAPSHOT_ROLES if snapshots else ()))


def networks_of(stack: Stack) -> frozenset[str]:
    """Docker's names of the networks that a stack makes."""
    named = stack.document.get("networks") or {}
    return frozenset(
        network_name(stack.document, name)
        for name, body in named.items()
        if not (body or {}).get("external")
    )


def _foreign(stack: Stack, engine: EngineState) -> tuple[str, ...]:
    wanted = networks_of(stack)
    return tuple(
        one.name
        for one in engine.networks or ()
        if one.name in wanted and one.project != stack.project
    )


def no_way_back(draft: Draft) -> str:
    """Why what a draft stops first could not be brought back; empty when it could."""
    live, plan = draft.seen.memory.records.live, draft.plan
    if live is not None and (names := unkept(draft)):
        why = plan.no_snapshot or "none is wanted (snapshots = false)"
        return (
            f"the code before can't go on after the migration {', '.join(names)}, and there is no "
            f"snapshot to go back to the data by: {why}"
        )
    if live is None or not plan.one_way:
        return ""
    return (
        f"of the live release {live.id} it has lost {', '.join(map(str, plan.gone))}: "
        f"{', '.join(plan.services('recreate', 'remove'))} could not be brought back"
    )


def way_out(draft: Draft) -> str:
    """What to do when a part of the live release is lost."""
    live = draft.seen.memory.records.live
    if live is None:
        return ""
    if unkept(draft):
        return _KEPT
    folder, kinds = draft.wanted.app_dir, {one.kind for one in draft.plan.gone}
    names = [one.name.split("/")[1] for one in draft.plan.gone if one.kind == "secret"]
    ways = []
    if kinds - {"secret"}:
        commit = f" ({live.commit})" if live.commit else ""
        ways.append(f"deploy its commit{commit}: that writes it anew")
    if names:
        ways.append(f"put the value into {', '.join(f'deploy/secrets/{one}' for one in names)}")
    last = "./inv down"
    if "compose" in kinds:
        last = f"remove {folder}/{CURRENT} and {folder}/{release_folder(live.id)}"
    return "; ".join((*ways, f"or, without a way back: {last}, then ./inv deploy"))


def unkept(draft: Draft) -> tuple[str, ...]:
    """The migrations that would have to be undone by a snapshot that there is not."""
    if draft.wanted.stack.mode != ONLY or draft.plan.snapshot is not None:
        return ()
    return tuple(one.revision for one in draft.plan.migrations if one.downtime)


def numbers(draft: Draft) -> tuple[Stack, Stack] | None:
    """The stack with the numbers of containers there are, and with those that are wanted.

    Returns:
        None when there are not to be more of any service.
    """
    after = draft.wanted.stack
    before = until_now(after, draft.seen.memory)
    return (before, after) if grown(before, after) else None
