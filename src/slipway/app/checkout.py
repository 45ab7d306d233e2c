"""From a checkout to a :class:`~slipway.plan.wanted.Wanted`: read its files, name its maker."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.app.supplied import read_supplied
from slipway.doors import Shell
from slipway.errors import ConfigError, Problem
from slipway.hosts.config import HostEntry
from slipway.images.values import Image
from slipway.plan.wanted import Wanted
from slipway.stack.interpolate import names_in
from slipway.stack.model import Stack, own_variables
from slipway.stack.read import read_stack
from slipway.stack.render import host_file

_DOTENV = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*\Z")
_UNBUILT = "not-built"


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
        raise ConfigError.from_problems(
            "the stack", problems, hint="look at `compose` of the host in deploy/hosts.toml"
        )
    return texts


def parse_dotenv(text: str) -> dict[str, str]:
    """Read an ``.env`` file: ``NAME=value`` lines, quotes around a value taken off. Pure.

    Raises:
        ConfigError: a line is something else; every such line is named.
    """
    values, problems = {}, []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _DOTENV.match(line)
        if match is None:
            problems.append(Problem(f"line {number}", "should be NAME=value"))
            continue
        value = match[2]
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        else:
            value = re.sub(r"\s+#.*\Z", "", value)
        values[match[1]] = value
    if problems:
        raise ConfigError.from_problems("deploy/.env", problems)
    return values


def gather_variables(
    texts: Sequence[tuple[str, str]],
    *,
    dotenv: Mapping[str, str],
    host: Mapping[str, str],
    environment: Mapping[str, str],
) -> dict[str, str]:
    """The operator's values for the variables that the files mention. Pure.

    The environment goes over the host's ``variables``, those over ``deploy/.env``. An empty
    variable in the environment counts, as with Compose.
    """
    mentioned = {name for _, text in texts for name in names_in(text)}
    merged = {**dotenv, **host, **environment}
    return {name: merged[name] for name in sorted(mentioned) if name in merged}


def read_wanted(
    root: Path,
    entry: HostEntry,
    address: str,
    images: Sequence[Image],
    *,
    application: str,
    who: str,
    commit: str,
    environment: Mapping[str, str],
) -> Wanted:
    """Everything the checkout says about a deploy to one host.

    Args:
        root: the checkout.
        entry: the host.
        address: where people reach it.
        images: every role's image.
        application: its name in ``slipway.toml``.
        who: user and machine.
        commit: of the checkout.
        environment: the process's variables.

    Raises:
        ConfigError: a file, variable or secret is missing or wrong; all are named.
    """
    texts = compose_texts(root, entry.compose)
    variables = _variables(root, texts, entry, environment)
    data_dir = variables.get(f"{application.upper().replace('-', '_')}_DATA")
    references = {image.role: image.reference for image in images}
    own = own_variables(application, references, app_dir=entry.app_dir, data_dir=data_dir)
    stack = read_stack(texts, {**variables, **own})
    _same_application(stack, application)
    contents = _contents(root / "deploy", stack)
    used = set(stack.roles.values())
    return Wanted(
        stack=stack,
        images=tuple(image for image in images if image.role in used),
        files={name: host_file(stack.config_files()[name], contents[name]) for name in contents},
        contents=contents,
        supplied=read_supplied(stack.secrets, root / "deploy/secrets", environment),
        app_dir=entry.app_dir,
        data_dir=data_dir or f"{entry.app_dir}/data",
        url=stack.url.replace("{address}", bracketed(address)).rstrip("/"),
        who=who,
        commit=commit,
        migrations=_tree_hash(root, stack.migration.source),
        revisions=_revisions(root, stack.migration.source),
    )


def check_wanted(
    root: Path,
    entry: HostEntry,
    roles: Sequence[str],
    application: str,
    environment: Mapping[str, str],
) -> None:
    """Find what is wrong with the stack before anything is built.

    Raises:
        ConfigError: as :func:`read_wanted` does, but for what only built images can show.
    """
    texts = compose_texts(root, entry.compose)
    variables = _variables(root, texts, entry, environment)
    references = {role: f"{application}/{role}:{_UNBUILT}" for role in roles}
    own = own_variables(application, references, app_dir=entry.app_dir)
    stack = read_stack(texts, {**own, **variables})
    _same_application(stack, application)
    unknown = sorted(set(stack.roles.values()) - set(roles))
    if unknown:
        raise ConfigError(
            f"the stack uses {', '.join(unknown)}, which slipway.toml has no image for",
            hint=f"the roles are {', '.join(roles)}",
            stage="config",
        )
    _contents(root / "deploy", stack)
    read_supplied(stack.secrets, root / "deploy/secrets", environment)


def _tree_hash(root: Path, folder: str) -> str:
    """The hash of every file below ``folder``, names and contents; empty for no folder."""
    if not folder:
        return ""
    if not (root / folder).is_dir():
        raise ConfigError(
            f"x-slipway.migrate.source: there is no folder {folder}",
            hint="name the folder that holds the migrations, or leave source out",
            stage="config",
        )
    digest = hashlib.sha256()
    for path in sorted((root / folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(root).as_posix()
            digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _revisions(root: Path, folder: str) -> tuple[str, ...]:
    """The migrations' names: files below ``folder`` but for those that begin with ``_``."""
    if not folder:
        return ()
    files = (path for path in sorted((root / folder).rglob("*")) if path.is_file())
    return tuple(
        path.stem
        for path in files
        if not path.name.startswith("_") and "__pycache__" not in path.parts
    )


def maker() -> str:
    """User and machine, for records."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def git_commit(shell: Shell, root: Path) -> str:
    """The checkout's commit, with ``+changes`` when it differs; empty outside of git."""
    head = shell.run(["git", "-C", str(root), "rev-parse", "HEAD"], timeout=30, check=False)
    if not head.ok:
        return ""
    status = shell.run(
        ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"],
        timeout=60,
        check=False,
    )
    return head.text.strip() + ("+changes" if status.text.strip() else "")


def bracketed(address: str) -> str:
    """An address as it stands in a URL: an IPv6 one in brackets."""
    return f"[{address}]" if ":" in address else address


def _variables(
    root: Path,
    texts: Sequence[tuple[str, str]],
    entry: HostEntry,
    environment: Mapping[str, str],
) -> dict[str, str]:
    path = root / "deploy/.env"
    dotenv = parse_dotenv(path.read_text("utf-8")) if path.is_file() else {}
    return gather_variables(texts, dotenv=dotenv, host=entry.variables, environment=environment)


def _same_application(stack: Stack, application: str) -> None:
    if stack.application != application:
        raise ConfigError(
            f"x-slipway.application is {stack.application}, slipway.toml's is {application}",
            hint="give both the same name",
            stage="config",
        )


def _contents(folder: Path, stack: Stack) -> dict[str, bytes]:
    contents, problems = {}, []
    for name, path in stack.config_files().items():
        try:
            contents[name] = (folder / path).read_bytes()
        except OSError as error:
            problems.append(Problem(f"configs.{name}", f"{path} can't be read: {error.strerror}"))
    if problems:
        raise ConfigError.from_problems("the stack", problems)
    return contents
