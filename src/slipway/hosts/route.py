"""The servers on the way to a host, as OpenSSH's configuration has them.

``ssh -G`` is asked once for the host and once for each of its jump hosts. On a machine without an
ssh program ``~/.ssh/config`` is read by the library that speaks SSH here, which does not understand
all of it; that is said in a warning.
"""

from __future__ import annotations

import getpass
import os
import pwd
import re
import shlex
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from paramiko.config import SSHConfig
from paramiko.ssh_exception import ConfigParseError

from slipway.doors import Shell
from slipway.errors import CommandFailed
from slipway.hosts import openssh
from slipway.hosts.login import Login
from slipway.hosts.openssh import Here, Server

# `Match exec` may ask the network.
_ASK_S = 60.0
_NO_PROGRAM = 127
_HOPS = 8
_KEY_NAMES = ("id_rsa", "id_ecdsa", "id_ed25519")
_BLOCK = re.compile(r"^(?=[ \t]*(?:host|match)[ \t=])", re.IGNORECASE | re.MULTILINE)
_GLOBAL = "/etc/ssh/ssh_known_hosts"


class NoRoute(Exception):
    """OpenSSH's configuration can't be followed to a host.

    Args:
        why: the end of a sentence.
        words: what ssh itself said.
    """

    def __init__(self, why: str, words: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.words = words


def this_machine() -> Here:
    """What tokens of ssh's configuration stand for here."""
    entry = pwd.getpwuid(os.getuid())
    return Here(entry.pw_dir, entry.pw_name, entry.pw_uid, socket.gethostname(), os.environ)


def find_route(
    login: Login, shell: Shell, here: Here, warn: Callable[[str], None]
) -> tuple[Server, ...]:
    """The servers to go through, the host itself last.

    Args:
        login: the host.
        shell: this machine, to run ssh on.
        here: from :func:`this_machine`.
        warn: told when the configuration is read without ssh.

    Raises:
        NoRoute: ssh does not accept its configuration, or it can't be followed here.
    """
    if not login.personal:
        return (_own(login),)
    servers = [_ask(login, "", shell, here, warn)]
    while servers[0].jump:
        if len(servers) > _HOPS:
            raise NoRoute(f"its jump hosts have no end: {', '.join(s.asked for s in servers)} …")
        try:
            hop = openssh.last_jump(servers[0].jump)
        except ValueError as error:
            raise NoRoute(f"its ProxyJump is none: {servers[0].jump}") from error
        through = replace(login, address=hop.address, port=hop.port, user=hop.user, key_file="")
        found = _ask(replace(through, known_hosts=""), hop.before, shell, here, _silent)
        if login.known_hosts:
            found = replace(found, known_hosts=(*found.known_hosts, login.known_hosts))
        servers.insert(0, found)
    return tuple(servers)


def _own(login: Login) -> Server:
    """A host of our own, of which everything is known."""
    return Server(
        asked=login.address,
        address=login.address,
        port=login.port or 22,
        user=login.user or getpass.getuser(),
        known_as=(login.entry,),
        known_hosts=(login.known_hosts,),
        identities=(login.key_file,),
        only_identities=True,
        timeout=login.timeout,
    )


def _ask(login: Login, jump: str, shell: Shell, here: Here, warn: Callable[[str], None]) -> Server:
    try:
        done = shell.run(openssh.question(login, jump=jump), timeout=_ASK_S, check=False)
    except CommandFailed as error:
        if error.command_exit_code != _NO_PROGRAM:
            raise NoRoute("ssh did not say in time how to reach it") from error
        found = openssh.server(_without_ssh(login, jump, here, warn), login, here)
    else:
        if not done.ok:
            raise NoRoute("ssh does not accept its configuration", done.error_text)
        try:
            found = openssh.server(openssh.parse(done.text), login, here)
        except ValueError as error:
            raise NoRoute(f"`ssh -G` gave no answer that is understood: {error}") from error
    if found.refused:
        raise NoRoute(f"OpenSSH's configuration can't be followed: {found.refused}")
    return found


def _without_ssh(
    login: Login, jump: str, here: Here, warn: Callable[[str], None]
) -> Mapping[str, tuple[str, ...]]:
    """The answer of ``ssh -G`` as far as the library here can give it."""
    file = Path(login.config or f"{here.home}/.ssh/config")
    given: dict[str, Any] = {}
    if file.exists():
        said = f"there is no ssh program, so {file} is read without OpenSSH"
        try:
            given = _looked_up(file.read_text("utf-8", "replace"), login.address)
            warn(f"{said}: Include, many a Match and some others do not count")
        except (OSError, ValueError, ConfigParseError) as error:
            warn(f"{said}, and that failed; nothing of it counts: {error}")
    keys = given.pop("identityfile", [f"~/.ssh/{name}" for name in _KEY_NAMES])
    lists = [shlex.split(str(given.pop("userknownhostsfile", f"{here.home}/.ssh/known_hosts")))]
    lists += [shlex.split(str(given.pop("globalknownhostsfile", _GLOBAL)))]
    found: dict[str, tuple[str, ...]] = {key: (str(value),) for key, value in given.items()}
    found["identityfile"] = tuple(keys)
    found["userknownhostsfile"] = tuple(
        f"{here.home}{path[1:]}" if path.startswith("~/") else path
        for paths in lists
        for path in paths
    )
    found["hostname"] = (str(given.get("hostname", login.address)),)
    found["port"] = (str(login.port or given.get("port", 22)),)
    found["user"] = (login.user or str(given.get("user", here.user)),)
    if jump:
        found["proxyjump"] = (jump,)
    if "proxycommand" in found:  # its tokens are filled in already
        found["proxycommand"] = (found["proxycommand"][0].replace("%", "%%"),)
    return found


def _looked_up(text: str, address: str) -> dict[str, Any]:
    """The library's answer; without the blocks of ``Match`` where it does not know one."""
    try:
        return dict(SSHConfig.from_text(text).lookup(address))
    except ConfigParseError:
        blocks = _BLOCK.split(text)
        kept = [block for block in blocks if not block.lstrip().lower().startswith("match")]
        return dict(SSHConfig.from_text("".join(kept)).lookup(address))


def _silent(_: str) -> None:
    """Say nothing: it was said for the host before."""
