"""Where a host is and as whom to log in there: one value for everybody who reaches a host."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

_PORT = 22


@dataclass(frozen=True, slots=True)
class Login:
    """Where to connect and as whom; what is empty is as OpenSSH's configuration or ssh has it.

    Attributes:
        name: the host's name in ``deploy/hosts.toml``, for messages.
        address: name or IP address, or a Host of ``~/.ssh/config``.
        port: TCP port; 0 for the configured one, else 22.
        user: login name; empty for the configured one, else this user's.
        key_file: the one private key to use; empty for the agent's and the configured ones.
        known_hosts: file with the host's key; empty for the configured ones, else the user's and
            the system's.
        personal: whether OpenSSH's configuration and the agent count; False for a host of our
            own, which has everything here.
        timeout: seconds for each step of connecting, where nothing is configured.
        config: OpenSSH configuration file to read in place of the user's and the system's.
    """

    name: str
    address: str
    port: int = 0
    user: str = ""
    key_file: str = ""
    known_hosts: str = ""
    personal: bool = True
    timeout: float = 10.0
    config: str = ""

    @property
    def place(self) -> str:
        """``address:port``, with an IPv6 address in brackets."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port or _PORT}"

    @property
    def entry(self) -> str:
        """The server as known_hosts files name it: ``address`` or ``[address]:port``."""
        return known_as(self.address, self.port)

    @property
    def account(self) -> str:
        """Who logs in, for messages."""
        return self.user or "this user"

    @property
    def key_list(self) -> str:
        """The file host keys are looked up in, as a shell word."""
        return shlex.quote(self.known_hosts) if self.known_hosts else "~/.ssh/known_hosts"


def known_as(address: str, port: int) -> str:
    """How known_hosts files name a server (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT")."""
    return address if port in (0, _PORT) else f"[{address}]:{port}"
