"""From what is wanted and what was seen to a draft: everything a deploy needs, decided. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from slipway.errors import ConfigError
from slipway.hosts.dataset import Place
from slipway.images.transfer import Transfer, plan_transfer
from slipway.ledger.release import Database, Release, ReleaseImage
from slipway.ledger.scale import scaled
from slipway.plan.changes import make_plan
from slipway.plan.counts import count_problems
from slipway.plan.expected import expected
from slipway.plan.loss import losses
from slipway.plan.pulling import Pulling
from slipway.plan.rolling import rolling
from slipway.plan.secrets import SecretChoice, choose
from slipway.plan.snapshotting import to_take
from slipway.plan.values import Plan
from slipway.plan.wanted import Seen, Wanted
from slipway.stack.backends import edge_backends
from slipway.stack.health import health_check
from slipway.stack.model import Stack
from slipway.stack.project import ONLY
from slipway.stack.render import Rendered, render
from slipway.stack.shape import read_shapes

_NUMBERS = "./inv scale shows the numbers of containers: the Compose files' and the host's own"


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with all that carrying it out takes.

    Attributes:
        wanted: what to deploy, with the host's own numbers of containers.
        release: the release it makes, as it is recorded.
        rendered: its Compose file.
        choices: its secrets.
        transfer: its images' missing parts.
        plan: what happens.
        seen: what it was planned on.
    """

    wanted: Wanted
    release: Release
    rendered: Rendered
    choices: tuple[SecretChoice, ...]
    transfer: Transfer
    plan: Plan
    seen: Seen

    @property
    def counted(self) -> Release:
        """The release as it will stand: with the host's own numbers of containers."""
        return scaled(self.release, self.seen.memory.scale)

    @property
    def unchanged(self) -> bool:
        """Whether the live release is this one already, runs, and has all its secrets.

        Where the host has lost a part of it, the plan's release is a new one.
        """
        live = self.seen.memory.records.live
        is_live = live is not None and self.plan.release == live.id and self.plan.empty
        has_secrets = all(choice.origin == "kept" for choice in self.choices)
        return is_live and has_secrets


def draft(wanted: Wanted, seen: Seen, now: datetime) -> Draft:
    """Decide everything.

    Args:
        now: the time, in UTC; it goes into the release's id.

    Raises:
        ConfigError: a secret, role or config that the stack needs isn't there, or there can't be
            as many containers as are wanted.
        DeployError: the host's records contradict themselves.
    """
    live = seen.memory.records.live
    choices = choose(
        wanted.stack.secrets,
        held=seen.memory.secrets,
        values=seen.memory.values,
        supplied=wanted.supplied,
        live=live.secrets if live else None,
        anew=wanted.anew,
    )
    versions = {choice.spec.name: choice.version for choice in choices}
    # TrueNAS starts what the file says, and is told of no other number.
    only = wanted.stack.mode == ONLY
    rendered = render(
        wanted.stack.scaled(seen.memory.scale) if only else wanted.stack,
        images={image.role: image.reference for image in wanted.images},
        files=wanted.files,
        secrets=versions,
        app_dir=wanted.app_dir,
    )
    release = _release(wanted, rendered, versions, live, now)
    transfer = plan_transfer(wanted.images, seen.engine.images)
    counted = replace(wanted, stack=wanted.stack.scaled(seen.memory.scale))
    backends = edge_backends(wanted.stack, wanted.contents)
    if problems := count_problems(counted.stack, wanted.stack, backends):
        raise ConfigError.from_problems("the stack", problems, hint=_NUMBERS)
    plan = make_plan(
        counted.stack,
        release,
        seen,
        bytes_to_send=0 if wanted.registry else transfer.bytes_to_send,
        downtimes=wanted.downtimes,
        shapes=read_shapes(rendered.text),
    )
    plan = replace(plan, pull=_pulling(wanted, transfer))
    gone = losses(seen, release, wanted.images, rendered, choices)
    if gone:
        plan = replace(plan, release=release.id, lost=gone)
    return Draft(counted, release, rendered, choices, transfer, plan, seen)


def _pulling(wanted: Wanted, transfer: Transfer) -> Pulling | None:
    if wanted.registry is None or not transfer.images:
        return None
    size = sum(layer.bytes for layer in transfer.layers)
    return Pulling(str(wanted.registry), len(transfer.images), size)


def needs_place(draft: Draft) -> bool:
    """Whether a snapshot is wanted: of data that a migration changes, and somebody could miss."""
    live = draft.seen.memory.records.live
    return draft.wanted.snapshots and live is not None and bool(draft.plan.migrations)


def with_snapshot(draft: Draft, place: Place | str) -> Draft:
    """The draft with a snapshot before its migrations.

    Args:
        place: the dataset, or why there is none.
    """
    if isinstance(place, str):
        return replace(draft, plan=replace(draft.plan, no_snapshot=place))
    release = draft.release
    taken = to_take(place, release.application, release.id)
    return replace(
        draft, release=replace(release, snapshot=taken), plan=replace(draft.plan, snapshot=taken)
    )


def _release(
    wanted: Wanted,
    rendered: Rendered,
    secrets: dict[str, int],
    live: Release | None,
    now: datetime,
) -> Release:
    standing = wanted.stack.standing
    folder = f"{wanted.app_dir}/"
    made = Release(
        id=f"{now:%Y%m%d-%H%M%S}-{rendered.sha256[:6]}",
        application=wanted.stack.application,
        created=now.isoformat(timespec="microseconds"),
        who=wanted.who,
        commit=wanted.commit,
        url=wanted.url,
        compose=rendered.sha256,
        images={image.role: ReleaseImage.of(image) for image in wanted.images},
        hashes={service: rendered.hashes[service] for service in standing},
        roles={
            service: role for service, role in wanted.stack.roles.items() if service in standing
        },
        files=tuple(
            sorted(file.path(wanted.app_dir).removeprefix(folder) for file in wanted.files.values())
        ),
        secrets=secrets,
        previous=live.id if live else None,
        migrations=wanted.migrations,
        revisions=wanted.revisions,
        expected=expected(wanted.stack, sorted(standing)),
        networks=rendered.networks,
        volumes=rendered.volumes,
        edge=_edge(wanted.stack),
        soak=(wanted.stack.soak.seconds, wanted.stack.soak.errors),
        verify=wanted.stack.verify_path,
        trust=f"{wanted.data_dir}/{wanted.stack.trust}" if wanted.stack.trust else "",
        database=Database(
            wanted.stack.migration.dump,
            wanted.stack.migration.restore,
            wanted.stack.database_users,
        ),
        checked=tuple(name for name in standing if health_check(wanted.stack.services[name])),
        reloads=wanted.stack.reloads,
        mode=wanted.stack.mode,
    )
    return replace(made, rolling=rolling(wanted.stack, made))


def _edge(stack: Stack) -> dict[str, str]:
    edge = stack.edge
    return {"service": edge.service, "socket": edge.socket} if edge.service else {}
