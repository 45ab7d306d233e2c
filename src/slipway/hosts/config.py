"""``deploy/hosts.toml`` and ``deploy/hosts.local.toml``: the machines by name.

The second is the operator's own, and stays out of version control. Pure but for :func:`read_hosts`,
which only reads the files. Every problem of both is reported at once; an unknown key or format
number is a problem, so that a misspelt name never goes unseen. A key's field, its reading and
what it must fit stand in one file: a new key is a line of each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from slipway.errors import ConfigError, Problem
from slipway.hosts.rehearsal.nasfiles import RELEASES
from slipway.hosts.table import HOSTS, OWN
from slipway.reading import Reader, parse_toml, read_text
from slipway.stack.project import MODES, ONLY

if TYPE_CHECKING:
    from slipway.images.registry.address import Registry

KINDS = ("rehearsal", "local", "ssh")
_SSH_ONLY = ("address", "port", "user", "key_file", "known_hosts")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,20}\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SHARED_DIRS = frozenset(("/", "/mnt", "/etc", "/usr", "/var", "/var/lib", "/home", "/root"))


@dataclass(frozen=True, slots=True)
class HostEntry:
    """One host of the files.

    Attributes:
        name: its name there.
        kind: ``rehearsal``, ``local`` or ``ssh``.
        app_dir: absolute folder on the host for releases, secrets and data.
        address: name or IP address; empty unless ``kind`` is ``ssh``.
        port: TCP port of its SSH server, or 0 for the one in ``~/.ssh/config``, else 22.
        user: login name; empty for the one in ``~/.ssh/config``, else this user's.
        key_file: private key here; empty for the agent's keys and those in ``~/.ssh``.
        known_hosts: file with its host key; empty for the user's and the system's.
        sudo: run commands as root through ``sudo -n``.
        docker: the docker program there, a name or an absolute path.
        compose: Compose files, relative to ``deploy/``, later ones over earlier.
        variables: values for ``${…}`` in those files.
        release: of TrueNAS that a rehearsal host stands for, such as ``25.10``; empty for a plain
            server.
        mode: how the application is deployed there, one of :data:`~slipway.stack.project.MODES`.
        snapshots: whether snapshots of the data are taken before migrations.
        registry: where it gets images by itself; None when they are sent to it.
    """

    name: str
    kind: str
    app_dir: str
    address: str = ""
    port: int = 0
    user: str = ""
    key_file: str = ""
    known_hosts: str = ""
    sudo: bool = False
    docker: str = "docker"
    compose: tuple[str, ...] = ("docker-compose.yml",)
    variables: Mapping[str, str] = field(default_factory=dict)
    release: str = ""
    mode: str = MODES[0]
    snapshots: bool = True
    registry: Registry | None = None

    def to_json(self) -> dict[str, object]:
        """The same fields as in the file, with their names."""
        return {
            "name": self.name,
            "kind": self.kind,
            "app_dir": self.app_dir,
            "address": self.address,
            "port": self.port,
            "user": self.user,
            "key_file": self.key_file,
            "known_hosts": self.known_hosts,
            "sudo": self.sudo,
            "docker": self.docker,
            "compose": list(self.compose),
            "variables": dict(self.variables),
            "release": self.release,
            "mode": self.mode,
            "snapshots": self.snapshots,
            "registry": str(self.registry or ""),
        }


@dataclass(frozen=True, slots=True)
class Hosts:
    """All hosts of the files.

    Attributes:
        default: the host meant when none is named.
        entries: by name.
        file: where they were read, for messages.
        registry: where images are pushed to; None when no file says.
    """

    default: str
    entries: Mapping[str, HostEntry]
    file: str = HOSTS
    registry: Registry | None = None

    def pick(self, name: str | None = None) -> HostEntry:
        """The host with that name, or the default one.

        Raises:
            ConfigError: there is none; the message lists those there are.
        """
        wanted = self.default if name is None else name
        if wanted not in self.entries:
            raise ConfigError(
                f"there is no host {wanted!r} in {self.file}; it has: "
                f"{', '.join(sorted(self.entries)) or 'none'}",
                hint=f"name one of them with --host, or add it: ./inv host.add {wanted}"
                if is_host_name(wanted)
                else "name one of them with --host",
                stage="config",
            )
        return self.entries[wanted]


def parse_hosts(text: str, *, home: str, file: str = HOSTS, own: str | None = None) -> Hosts:
    """Read the texts of the files.

    Args:
        text: TOML, format 1.
        home: absolute folder that ``~/`` stands for.
        file: its name for messages.
        own: the text of ``deploy/hosts.local.toml``, of the same format, where ``default`` and
            ``host`` may be left out; None when it isn't there. Its default and its registry are
            the stronger ones.

    Raises:
        ConfigError: with every problem found; a host in both is one.
    """
    default, entries, registry, problems = _read(text, file, home)
    found = {file: problems}
    if own is not None:
        chosen, added, nearer, found[OWN] = _read(own, OWN, home, dict.fromkeys(entries, file))
        default, entries = chosen or default, {**entries, **added}
        registry = nearer or registry
    wrong = [name for name, problems in found.items() if problems]
    if len(wrong) == 1:
        raise ConfigError.from_problems(wrong[0], found[wrong[0]], hint=f"mend {wrong[0]}")
    if wrong:
        every = [Problem(f"{name}: {one.where}", one.what) for name in wrong for one in found[name]]
        raise ConfigError.from_problems("the hosts", every, hint=f"mend {' and '.join(wrong)}")
    return Hosts(default, entries, " and ".join(found), registry)


def read_hosts(path: Path, *, name: str = HOSTS) -> Hosts:
    """Read the file, and the operator's own beside it if there is one; see :func:`parse_hosts`.

    Raises:
        ConfigError: it is missing, or one of them is no text or has problems.
    """
    beside = path.with_name(PurePosixPath(OWN).name)
    own = read_text(beside, OWN) if beside.exists() else None
    return parse_hosts(read_text(path, name), home=str(Path.home()), file=name, own=own)


def is_host_name(name: str) -> bool:
    """Whether a host may have that name."""
    return bool(_NAME.match(name))


def _read(
    text: str, file: str, home: str, others: Mapping[str, str] | None = None
) -> tuple[str, dict[str, HostEntry], Registry | None, list[Problem]]:
    """Default, hosts, registry and problems of one file.

    Args:
        others: for the operator's own file, host to the file that it is in already.
    """
    reader = Reader(parse_toml(text, file))
    reader.format(1)
    default = reader.text("default", "rehearsal" if others is None else "")
    hosts = reader.table("host", required=others is None)
    entries = {name: _entry(hosts.table(name), name, home) for name in hosts.names()}
    known = dict(others or {})
    for name, file in known.items():
        if name in entries:
            hosts.note(name, f"is in {file}, too: remove one, or give it another name")
    if reader.has("default" if known else "host") and default not in {**known, **entries}:
        reader.note("default", f"names {default!r}, which is no host of this file")
    registry = _registry(reader)
    reader.finish()
    return default, entries, registry, reader.problems


def _registry(reader: Reader) -> Registry | None:
    text = reader.text("registry", "")
    if not isinstance(reader.take("registry"), str):
        return None
    # Most deploys know of no registry, and start faster without what reads its address.
    from slipway.images.registry.address import parse_registry

    try:
        return parse_registry(text)
    except ValueError as error:
        reader.note("registry", str(error))
        return None


def _entry(reader: Reader, name: str, home: str) -> HostEntry:
    if not _NAME.match(name):
        reader.note("", "is no host name: a-z, 0-9 and -, a letter first, at most 21")
    kind = _kind(reader)
    ssh = kind == "ssh"
    entry = HostEntry(
        name=name,
        kind=kind,
        app_dir=_app_dir(reader, kind, home),
        address=_address(reader, ssh=ssh),
        port=_port(reader),
        user=_word(reader, "user", ""),
        key_file=_local_path(reader, "key_file", home),
        known_hosts=_local_path(reader, "known_hosts", home),
        sudo=reader.flag("sudo", False),
        docker=_docker(reader),
        compose=_compose(reader),
        variables=_variables(reader),
        release=_release(reader),
        mode=_mode(reader),
        snapshots=reader.flag("snapshots", True),
        registry=_registry(reader),
    )
    _fits_mode(reader, entry)
    if kind in KINDS and kind != "rehearsal" and reader.has("release"):
        reader.note("release", f"has no meaning for a host of kind {kind!r}")
    for key in _SSH_ONLY:
        if kind in KINDS and not ssh and reader.has(key):
            reader.note(key, f"has no meaning for a host of kind {kind!r}")
    reader.finish()
    return entry


def _fits_mode(reader: Reader, entry: HostEntry) -> None:
    """See that a host whose user has no right to Docker asks for nothing that takes it."""
    if entry.mode != ONLY:
        return
    if not reader.has("registry"):
        reader.note(
            "registry",
            f'is needed with mode = "{ONLY}": nobody may load images there, so the NAS pulls them '
            "(./inv push --to HOST:PORT brings them to a registry)",
        )
    for key in ("sudo", "docker"):
        if reader.has(key):
            reader.note(key, f'has no meaning with mode = "{ONLY}"')


def _kind(reader: Reader) -> str:
    kind = reader.text("kind")
    if isinstance(reader.take("kind"), str) and kind not in KINDS:
        reader.note("kind", f"should be one of {', '.join(KINDS)}, got {kind!r}")
    return kind


def _release(reader: Reader) -> str:
    release = reader.text("release", "")
    if reader.has("release") and release not in RELEASES:
        reader.note("release", f"should be one of {', '.join(RELEASES)}, got {release!r}")
    return release


def _mode(reader: Reader) -> str:
    mode = reader.text("mode", MODES[0])
    if reader.has("mode") and mode not in MODES:
        reader.note("mode", f"should be one of {', '.join(MODES)}, got {mode!r}")
    return mode


def _app_dir(reader: Reader, kind: str, home: str) -> str:
    text = reader.text("app_dir")
    path = f"{home}{text[1:]}" if kind == "local" and text.startswith("~/") else text
    if not isinstance(reader.take("app_dir"), str):
        return ""
    pure = PurePosixPath(path)
    if not pure.is_absolute() or ".." in pure.parts or any(ord(c) < 32 for c in path):
        reader.note("app_dir", f"should be an absolute path without .., got {text!r}")
    elif str(pure) in _SHARED_DIRS:
        reader.note("app_dir", f"should be a folder of its own, not {text!r}")
    return str(pure)


def _word(reader: Reader, key: str, default: str | None) -> str:
    text = reader.text(key, default)
    if reader.has(key) and (
        not text or text.startswith("-") or any(c.isspace() or not c.isprintable() for c in text)
    ):
        reader.note(key, f"should be one word that doesn't start with -, got {text!r}")
    return text


def _address(reader: Reader, *, ssh: bool) -> str:
    text = _word(reader, "address", None if ssh else "")
    if text.startswith("[") and text.endswith("]"):
        reader.note("address", f"has no brackets here: write {text[1:-1]!r}")
    return text


def _port(reader: Reader) -> int:
    port = reader.whole("port", 0)
    if reader.has("port") and not 1 <= port <= 65535:
        reader.note("port", f"should be a TCP port from 1 to 65535, got {port}")
    return port


def _local_path(reader: Reader, key: str, home: str) -> str:
    text = reader.text(key, "")
    path = f"{home}{text[1:]}" if text.startswith("~/") else text
    if reader.has(key) and not path.startswith("/"):
        reader.note(key, f"should be an absolute path or start with ~/, got {text!r}")
    return path


def _docker(reader: Reader) -> str:
    text = reader.text("docker", "docker")
    if not re.fullmatch(r"[A-Za-z0-9._-]+|/[A-Za-z0-9._/-]+", text) or text.startswith("-"):
        reader.note("docker", f"should be a program's name or absolute path, got {text!r}")
    return text


def _compose(reader: Reader) -> tuple[str, ...]:
    files = reader.texts("compose", ["docker-compose.yml"])
    if not files:
        reader.note("compose", "should name at least one file")
    for index, file in enumerate(files):
        pure = PurePosixPath(file)
        if not file or pure.is_absolute() or ".." in pure.parts:
            reader.note(f"compose[{index}]", f"should be a file inside deploy/, got {file!r}")
    return files


def _variables(reader: Reader) -> dict[str, str]:
    table = reader.table("variables")
    for name in table.names():
        if not _VARIABLE.match(name):
            table.note(name, "is no variable name: letters, digits and _, no digit first")
    return {name: table.text(name) for name in table.names()}
