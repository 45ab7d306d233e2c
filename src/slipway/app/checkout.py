"""From a checkout to a :class:`~slipway.plan.wanted.Wanted`: read its files, name its maker.

The files are read once, before anything is built; references of images are put in afterwards.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.app.certificates import see_whose_certificates
from slipway.app.commands import Commands
from slipway.app.migrations import read_migrations
from slipway.app.names import ascii_url
from slipway.app.strays import FOLDER, find_strays, unmentioned
from slipway.app.supplied import public, read_supplied
from slipway.doors import Shell
from slipway.errors import ConfigError, Problem
from slipway.hosts.config import HostEntry
from slipway.hosts.table import TABLE
from slipway.images.values import Image
from slipway.plan.wanted import Wanted
from slipway.secret import Secret
from slipway.stack.apponly import app_only
from slipway.stack.backends import unreached
from slipway.stack.compose import ComposeModel, DotEnv, Model, Request
from slipway.stack.model import Stack, data_variable, own_variables
from slipway.stack.project import ONLY, project_of
from slipway.stack.read import read_stack
from slipway.stack.render import host_file
from slipway.supply.sources import GIT, unknown_files

if TYPE_CHECKING:
    from slipway.images.registry.address import Registry


def compose_texts(root: Path, names: Sequence[str]) -> list[tuple[str, str]]:
    """Name and text of each Compose file of ``deploy/``; the operator's override is taken along.

    Raises:
        ConfigError: one can't be read.
    """
    folder = root / "deploy"
    override = "docker-compose.override.yml"
    wanted = list(names)
    if (folder / override).is_file() and override not in wanted:
        wanted.append(override)
    texts, problems = [], []
    for name in wanted:
        try:
            texts.append((f"deploy/{name}", (folder / name).read_text("utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is no UTF-8"
            problems.append(Problem(f"deploy/{name}", f"can't be read: {reason}"))
    if problems:
        raise ConfigError.from_problems("the stack", problems, hint=f"look at `compose` in {TABLE}")
    return texts


@dataclass(frozen=True, slots=True)
class Reading:
    """What the checkout's files say about one host, before anything is built.

    Attributes:
        stack: the services; where an image's reference belongs, it is still to come.
        contents: config name to that file's content.
        paths: config name to the file's path, or its name for one without a file.
        programs: names of configs whose file may be executed.
        supplied: the operator's secrets.
        data_dir: the data path on the host.
    """

    stack: Stack
    contents: Mapping[str, bytes]
    paths: Mapping[str, str]
    programs: frozenset[str]
    supplied: Mapping[str, Secret]
    data_dir: str


def read_checkout(
    root: Path,
    entry: HostEntry,
    roles: Sequence[str],
    application: str,
    compose: ComposeModel,
    environment: Mapping[str, str],
    commands: Commands,
) -> Reading:
    """Read all that a deploy to one host needs of the checkout, and find what is wrong with it.

    A variable's value is looked for in the process's environment, the host's ``variables`` and
    ``deploy/.env``, in this order; those that slipway alone sets can't be changed.

    Args:
        root: the checkout.
        entry: the host.
        roles: those of ``slipway.toml``.
        application: its name there.
        compose: reads Compose files.
        environment: the process's variables, with those that supply secrets.
        commands: those that print secrets.

    Raises:
        ConfigError: a file, variable or secret is missing or wrong; all are named.
    """
    folder, dotenv = root / "deploy", root / "deploy/.env"
    data = data_variable(application)
    model = compose.read(
        Request(
            project=project_of(application, entry.mode),
            folder=folder,
            files=tuple(compose_texts(root, entry.compose)),
            environment=(
                own_variables(application, roles, app_dir=entry.app_dir),
                public(environment),
                entry.variables,
                *([DotEnv(dotenv, "deploy/.env")] if dotenv.is_file() else []),
                {data: f"{entry.app_dir}/data"},
            ),
        )
    )
    stack = read_stack(model, application=application, roles=roles)
    stack = replace(stack, url=ascii_url(stack.url), mode=entry.mode)
    contents = _contents(folder, stack, model)
    strays = find_strays(stack.secrets, folder, environment, commands)
    unused = unmentioned(entry.name, entry.variables, model)
    told = (*stack.warnings, *unreached(stack, contents), *unused, *strays.warnings)
    stack = replace(stack, warnings=told)
    if entry.mode == ONLY:
        stack = app_only(stack)
    paths = {**stack.config_files(), **{name: name for name in stack.config_texts()}}
    return Reading(
        stack=stack,
        contents=contents,
        paths=paths,
        programs=frozenset(
            name for name, path in stack.config_files().items() if _is_program(folder / path)
        ),
        supplied=read_supplied(
            stack.secrets, root / FOLDER, environment, commands, strays.problems
        ),
        data_dir=model.value(data) or f"{entry.app_dir}/data",
    )


def make_wanted(
    reading: Reading,
    root: Path,
    entry: HostEntry,
    address: str,
    images: Sequence[Image],
    *,
    who: str,
    commit: str,
    registry: Registry | None = None,
) -> Wanted:
    """Everything about a deploy to one host, now that the images are built.

    Args:
        reading: what the checkout says.
        root: the checkout.
        entry: the host.
        address: where people reach it.
        images: every role's image.
        who: user and machine.
        commit: of the checkout.
        registry: where the host gets the images; None when they are sent to it.

    Raises:
        ConfigError: the folder of migrations is not there, nobody can have the address, or a
            supplied certificate is of another one.
    """
    where = bracketed(address)
    images = pinned(images, entry.mode, registry)
    references = {image.role: image.reference for image in images}
    stack = reading.stack.with_images(references, where)
    used = set(stack.roles.values())
    contents = reading.contents
    migrations = read_migrations(root, stack.migration.source)
    url = ascii_url(stack.url.replace("{address}", where)).rstrip("/")
    see_whose_certificates(stack.secrets, reading.supplied, url)
    return Wanted(
        stack=stack,
        images=tuple(image for image in images if image.role in used),
        files={
            name: host_file(reading.paths[name], contents[name], program=name in reading.programs)
            for name in contents
        },
        contents=contents,
        supplied=reading.supplied,
        app_dir=entry.app_dir,
        data_dir=reading.data_dir,
        url=url,
        who=who,
        commit=commit,
        migrations=migrations.sha256,
        revisions=migrations.revisions,
        downtimes=migrations.downtimes,
        snapshots=entry.snapshots,
        registry=registry,
    )


def pinned(images: Sequence[Image], mode: str, registry: Registry | None) -> tuple[Image, ...]:
    """The images by the names that a host knows them by.

    Whoever has no right to Docker can give no image a name of its own: there it is called by its
    digest in the registry that it is pulled from.
    """
    if mode != ONLY or registry is None:
        return tuple(images)
    return tuple(replace(one, reference=registry.pinned(one)) for one in images)


def _is_program(path: Path) -> bool:
    """Whether somebody may execute a file."""
    return bool(path.stat().st_mode & 0o111)


def maker() -> str:
    """User and machine, for records."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def git_commit(shell: Shell, root: Path, paths: Sequence[str] = ()) -> str:
    """The checkout's commit, with ``+changes`` when it differs; empty outside of git.

    Args:
        shell: where git runs.
        root: the checkout.
        paths: files and folders of it that images are made of: what git does not know yet there,
            or among the Compose files, is a difference, too.
    """
    head = shell.run([*GIT, "-C", str(root), "rev-parse", "HEAD"], timeout=30, check=False)
    if not head.ok:
        return ""
    status = shell.run(
        [*GIT, "-C", str(root), "status", "--porcelain", "--untracked-files=no"],
        timeout=60,
        check=False,
    )
    differs = status.text.strip() or unknown_files(shell, root, (*paths, "deploy"))
    return head.text.strip() + ("+changes" if differs else "")


def bracketed(address: str) -> str:
    """An address as it stands in a URL: an IPv6 one in brackets."""
    return f"[{address}]" if ":" in address else address


def _contents(folder: Path, stack: Stack, model: Model) -> dict[str, bytes]:
    contents = {name: text.encode() for name, text in stack.config_texts().items()}
    problems = []
    for name, path in stack.config_files().items():
        try:
            contents[name] = (folder / path).read_bytes()
        except IsADirectoryError:
            problems.append(
                Problem(f"configs.{name}", f"{path} is a folder; only single files are sent along")
            )
        except OSError as error:
            problems.append(Problem(f"configs.{name}", f"{path} can't be read: {error.strerror}"))
    if problems:
        raise ConfigError.from_problems("the stack", model.placed(problems))
    return contents
