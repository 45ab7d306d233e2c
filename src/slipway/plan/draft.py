"""From what should be and what a host holds to a draft: everything a deploy needs, decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slipway.doors import Host
from slipway.hosts.container import Container
from slipway.hosts.engine import Engine
from slipway.images.transfer import Transfer, plan_transfer
from slipway.images.values import HeldImages, Image
from slipway.ledger.records import Records, read_records
from slipway.ledger.release import Release, ReleaseImage
from slipway.ledger.secrets import SecretChoice, choose, read_held, read_newest
from slipway.plan.changes import Seen, make_plan
from slipway.plan.values import Plan
from slipway.secret import Secret
from slipway.stack.model import Stack
from slipway.stack.render import HostFile, Rendered, render


@dataclass(frozen=True, slots=True)
class Job:
    """What to deploy and where, read from the checkout before the host is asked.

    Attributes:
        stack: the services.
        images: one for each role the stack uses.
        files: config name to the file it is.
        contents: config name to that file's content.
        supplied: the operator's secrets.
        app_dir: the application's folder on the host.
        data_dir: its data path there.
        url: where the stack is reached.
        who: user and machine.
        commit: git commit of the checkout; may be empty.
        migrations: hex SHA-256 of the files that hold the migrations, or empty.
    """

    stack: Stack
    images: tuple[Image, ...]
    files: Mapping[str, HostFile]
    contents: Mapping[str, bytes]
    supplied: Mapping[str, Secret]
    app_dir: str
    data_dir: str
    url: str
    who: str
    commit: str = ""
    migrations: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a host held when it was asked.

    Attributes:
        records: its releases.
        images: its images.
        containers: the application's containers.
        secrets: secret name to versions.
        newest: the newest value of each secret that the operator supplied.
    """

    records: Records = field(default_factory=Records)
    images: HeldImages = field(default_factory=HeldImages)
    containers: tuple[Container, ...] = ()
    secrets: Mapping[str, Sequence[int]] = field(default_factory=dict)
    newest: Mapping[str, Secret] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with all that carrying it out takes.

    Attributes:
        job: what to deploy.
        release: the release it makes.
        rendered: its Compose file.
        choices: its secrets.
        transfer: its images' missing parts.
        plan: what happens.
        observed: what it was planned on.
    """

    job: Job
    release: Release
    rendered: Rendered
    choices: tuple[SecretChoice, ...]
    transfer: Transfer
    plan: Plan
    observed: Observed

    @property
    def unchanged(self) -> bool:
        """Whether the live release is this one already, runs, and has all its secrets."""
        is_live = self.plan.release != self.release.id
        return is_live and all(choice.origin == "kept" for choice in self.choices)


def observe(host: Host, engine: Engine, job: Job) -> Observed:
    """Ask a host what the plan depends on.

    Raises:
        HostError: it can't be asked.
        DeployError: its records can't be read.
    """
    held = read_held(host, job.app_dir)
    return Observed(
        records=read_records(host, job.app_dir),
        images=engine.images(),
        containers=engine.containers(),
        secrets=held,
        newest=read_newest(host, job.app_dir, held, tuple(job.supplied)),
    )


def draft(job: Job, observed: Observed, now: datetime) -> Draft:
    """Decide everything. Pure.

    Args:
        now: the time, in UTC; it goes into the release's id.

    Raises:
        ConfigError: a secret, role or config that the stack needs isn't there.
        DeployError: the host's records contradict themselves.
    """
    live = observed.records.live
    choices = choose(
        job.stack.secrets,
        held=observed.secrets,
        newest=observed.newest,
        supplied=job.supplied,
        live=live.secrets if live else None,
    )
    versions = {choice.spec.name: choice.version for choice in choices}
    rendered = render(
        job.stack,
        images={image.role: image.reference for image in job.images},
        files=job.files,
        secrets=versions,
        app_dir=job.app_dir,
    )
    release = _release(job, rendered, versions, live, now)
    transfer = plan_transfer(job.images, observed.images)
    plan = make_plan(
        job.stack,
        release,
        Seen(observed.containers, live),
        bytes_to_send=transfer.bytes_to_send,
    )
    return Draft(job, release, rendered, choices, transfer, plan, observed)


def _release(
    job: Job,
    rendered: Rendered,
    secrets: dict[str, int],
    live: Release | None,
    now: datetime,
) -> Release:
    standing = job.stack.standing
    folder = f"{job.app_dir}/"
    return Release(
        id=f"{now:%Y%m%d-%H%M%S}-{rendered.sha256[:6]}",
        application=job.stack.application,
        created=now.isoformat(timespec="microseconds"),
        who=job.who,
        commit=job.commit,
        url=job.url,
        compose=rendered.sha256,
        images={image.role: ReleaseImage.of(image) for image in job.images},
        hashes={service: rendered.hashes[service] for service in standing},
        roles={service: role for service, role in job.stack.roles.items() if service in standing},
        files=tuple(
            sorted(file.path(job.app_dir).removeprefix(folder) for file in job.files.values())
        ),
        secrets=secrets,
        previous=live.id if live else None,
        migrations=job.migrations,
    )
