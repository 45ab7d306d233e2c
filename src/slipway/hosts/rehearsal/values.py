"""What a rehearsal host is: its name, where its state lies, how it is reached. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from slipway.errors import ConfigError
from slipway.hosts.login import Login

NAME = re.compile(r"[a-z][a-z0-9-]{0,20}")
ROOT = "root"
SSH_PORT = 22
ADMIN = "truenas_admin"
ADMIN_ID = 950  # TrueNAS' own number for it
APPS_ID = 568  # and for the user that containers there usually run as
POOL = "/mnt/tank"
DOCKER_DATA = "/mnt/.ix-apps/docker"  # TrueNAS' data-root


@dataclass(frozen=True, slots=True)
class RehearsalInfo:
    """A rehearsal host.

    Attributes:
        name: what it is called here and what it calls itself.
        address: its IPv4 address, reachable from this machine alone.
        ssh_port: TCP port of sshd.
        user: a login that needs no sudo; :data:`ADMIN` takes the same key and has sudo.
        key_path: the private key to log in with (OpenSSH format, mode 0600).
        known_hosts_path: a known_hosts file that holds the host's key.
        tree: the folder of programs it runs from.
        state_dir: everything of it that is on this machine's disk.
        booted_at: when it was booted, ISO 8601 in UTC.
        docker_version: version of its Docker engine.
        release: of TrueNAS, such as ``25.10``; empty for a plain server.
        problem: why it can't be used as it is, a clause for a person; None when it is healthy.
    """

    name: str
    address: str
    ssh_port: int
    user: str
    key_path: str
    known_hosts_path: str
    tree: str
    state_dir: str
    booted_at: str
    docker_version: str
    release: str = ""
    problem: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether sshd and Docker answer."""
        return self.problem is None

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints and ``info.json`` holds."""
        return asdict(self)

    @property
    def login(self) -> Login:
        """How to log in there; nothing of this user's own SSH settings counts."""
        return Login(
            self.name,
            self.address,
            self.ssh_port,
            self.user,
            self.key_path,
            self.known_hosts_path,
            personal=False,
        )

    @classmethod
    def from_json(cls, data: object) -> RehearsalInfo:
        """The reverse of :meth:`to_json`.

        Raises:
            ValueError: it isn't one.
        """
        if not isinstance(data, dict):
            raise ValueError("not a table")
        try:
            info = cls(**data)
        except TypeError as error:
            raise ValueError(str(error)) from error
        texts = (info.name, info.address, info.user, info.key_path, info.known_hosts_path,
                 info.tree, info.state_dir, info.booted_at, info.docker_version,
                 info.release)  # fmt: skip
        if not all(isinstance(text, str) for text in texts) or not isinstance(info.ssh_port, int):
            raise ValueError("a value has the wrong type")
        return info


@dataclass(frozen=True, slots=True)
class Places:
    """Where things of one host lie.

    Attributes:
        state: absolute, resolved state folder; its name is the host's name.
    """

    state: Path

    @property
    def name(self) -> str:
        """The host's name."""
        return self.state.name

    @property
    def key(self) -> str:
        """Ten hexadecimal digits that tell this host from any other on the machine."""
        return hashlib.sha256(str(self.state).encode()).hexdigest()[:10]

    @property
    def interface(self) -> str:
        """This machine's end of the wire; the kernel allows 15 characters."""
        return f"slip{self.key}"

    @property
    def group(self) -> str:
        """The host's cgroup."""
        return f"slipway-{self.key}"

    @property
    def marker(self) -> str:
        """The argument by which the host's first process is found."""
        return f"--rehearsal-state={self.state}"

    @property
    def keys(self) -> Path:
        """Folder of the key pairs and known_hosts, mode 0700."""
        return self.state / "keys"

    @property
    def docker(self) -> Path:
        """Docker's data; outlives boots."""
        return self.state / "docker"

    @property
    def pool(self) -> Path:
        """The pool's data; outlives boots."""
        return self.state / "pool"

    @property
    def ix_apps(self) -> Path:
        """A NAS' dataset of apps, but for Docker's data; outlives boots."""
        return self.state / "ix-apps"

    @property
    def data(self) -> Path:
        """A NAS' own settings; outlives boots."""
        return self.state / "data"

    @property
    def at_boot(self) -> Path:
        """Programs that the host runs at the end of its boot; outlives boots."""
        return self.state / "local.d"

    @property
    def scratch(self) -> Path:
        """Mount point of the host's root, in its own mount namespace alone."""
        return self.state / "scratch"

    @property
    def info(self) -> Path:
        """The :class:`RehearsalInfo` of the last boot, with what it was made from."""
        return self.state / "info.json"

    @property
    def console(self) -> Path:
        """What init, sshd and dockerd wrote since the last boot."""
        return self.state / "console.log"


def check_name(name: str) -> None:
    """Refuse names that are no host name or would leave the state folder.

    Raises:
        ConfigError: it is one of those.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name for a rehearsal host; nothing was changed",
            hint="use a small letter, then up to 20 small letters, digits or hyphens",
            stage="rehearsal",
        )
