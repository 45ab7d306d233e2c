"""What OpenSSH's configuration says about one server, from the words of ``ssh -G``. Pure.

``ssh -G HOST`` prints the configuration that ssh would use for a host, one ``keyword value`` a line
(ssh(1), ssh_config(5)): ``Include``, ``Match``, canonical names and defaults are all worked in.
What it prints as written, with its ``~`` and ``%`` tokens, is expanded here as ssh does it later.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipway.hosts.login import Login, known_as

_TOKEN = re.compile(r"%(.)")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# A list of paths is printed with spaces between, and spaces inside are not marked.
_BETWEEN_PATHS = re.compile(r" (?=[/~])")
_NONE = ("", "none")


@dataclass(frozen=True, slots=True)
class Here:
    """What tokens of this machine stand for.

    Attributes:
        home: this user's home folder, as the system's list of users has it.
        user: this user's name.
        uid: this user's number.
        name: this machine's name.
        environment: this process's variables.
    """

    home: str
    user: str
    uid: int
    name: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    """One SSH server, as OpenSSH's configuration has it.

    Attributes:
        asked: the name it was asked for by.
        address: name or IP address to connect to.
        port: TCP port.
        user: login name.
        known_as: its names in known_hosts files, the first one first.
        known_hosts: files to look them up in; they need not exist.
        identities: key files to offer, in order; they need not exist.
        certificates: certificate files that go with them.
        only_identities: whether the agent's other keys are left out.
        agent: the agent's socket; empty for none.
        timeout: seconds to wait for a connection.
        proxy_command: what makes the connection, for a shell; empty for a plain one.
        jump: the servers to go through, as ``ssh -J`` takes them; empty for none.
        key_types: host key algorithms that are allowed, in order; empty for all.
        refused: why this configuration can't be followed; empty when it can.
    """

    asked: str
    address: str
    port: int
    user: str
    known_as: tuple[str, ...]
    known_hosts: tuple[str, ...]
    identities: tuple[str, ...]
    certificates: tuple[str, ...] = ()
    only_identities: bool = False
    agent: str = ""
    timeout: float = 10.0
    proxy_command: str = ""
    jump: str = ""
    key_types: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Jump:
    """The last server of a ``ProxyJump``, and those before it.

    Attributes:
        address: what it is called there.
        port: its TCP port, or 0.
        user: the login name there, or empty.
        before: the servers before it, as ``ssh -J`` takes them.
    """

    address: str
    port: int
    user: str
    before: str


def question(login: Login, *, jump: str = "") -> tuple[str, ...]:
    """The command that asks ssh about a host, as ssh itself would be called for it.

    Args:
        login: what is known already.
        jump: servers to go through that were named on the way here.
    """
    argv = ["ssh", "-G", "-T"]
    for flag, value in (
        ("-F", login.config),
        ("-J", jump),
        ("-p", str(login.port) if login.port else ""),
        ("-l", login.user),
    ):
        argv += [flag, value] if value else []
    return (*argv, "--", login.address)


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """The lines of ``ssh -G``: each keyword, in small letters, with its values in order."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        keyword, _, value = line.strip().partition(" ")
        if keyword:
            key = keyword.lower()
            found[key] = (*found.get(key, ()), value.strip())
    return found


def server(said: Mapping[str, Sequence[str]], login: Login, here: Here) -> Server:
    """What ssh said about a host; what ``login`` itself names goes first.

    Args:
        said: from :func:`parse`.
        login: whom it was asked about.
        here: this machine.

    Raises:
        ValueError: it is no answer of ``ssh -G``.
    """
    host = _one(said, "hostname").lower()
    port = int(_one(said, "port"))
    user = _one(said, "user")
    if not host or not user:
        raise ValueError("it names no host or no user")
    alias = _one(said, "hostkeyalias")
    jump = _one(said, "proxyjump")
    jump = "" if jump in _NONE else jump
    tokens = _tokens(here, login.address, host, port, user, alias, jump)

    def paths(keyword: str) -> tuple[str, ...]:
        return tuple(
            _expanded(path, tokens, here) for path in said.get(keyword, ()) if path not in _NONE
        )

    command = _one(said, "proxycommand")
    return Server(
        asked=login.address,
        address=host,
        port=port,
        user=user,
        known_as=(alias,) if alias else tuple(dict.fromkeys((known_as(host, port), host))),
        known_hosts=(login.known_hosts,) if login.known_hosts else _lists(said),
        identities=(login.key_file,) if login.key_file else paths("identityfile"),
        certificates=paths("certificatefile"),
        only_identities=bool(login.key_file) or _one(said, "identitiesonly") == "yes",
        agent=_agent(_one(said, "identityagent"), here),
        timeout=_seconds(_one(said, "connecttimeout"), login.timeout),
        proxy_command="" if command in _NONE else _filled(command, tokens),
        jump=jump,
        key_types=tuple(_one(said, "hostkeyalgorithms").split(",")),
        refused=_refused(said),
    )


def last_jump(jump: str) -> Jump:
    """Take the last server of a ``ProxyJump`` value (``[user@]host[:port]`` or a URI) off.

    Raises:
        ValueError: its port is no number.
    """
    before, _, last = jump.rpartition(",")
    last = last.strip().removeprefix("ssh://").rstrip("/")
    user, _, place = last.rpartition("@")
    if place.startswith("["):
        address, _, port = place[1:].partition("]")
        port = port.removeprefix(":")
    elif place.count(":") == 1:
        address, _, port = place.partition(":")
    else:
        address, port = place, ""
    return Jump(address, int(port or 0), user, before.strip())


def _one(said: Mapping[str, Sequence[str]], keyword: str) -> str:
    values = said.get(keyword, ())
    return values[0] if values else ""


def _lists(said: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    text = (*said.get("userknownhostsfile", ()), *said.get("globalknownhostsfile", ()))
    return tuple(
        path for value in text for path in _BETWEEN_PATHS.split(value) if path not in _NONE
    )


def _agent(value: str, here: Here) -> str:
    if value == "none":
        return ""
    if value in ("", "SSH_AUTH_SOCK"):
        return here.environment.get("SSH_AUTH_SOCK", "")
    if value.startswith("$"):
        return here.environment.get(value[1:].strip("{}"), "")
    return value


def _seconds(value: str, default: float) -> float:
    return float(value) if value.isdigit() and int(value) else default


def _refused(said: Mapping[str, Sequence[str]]) -> str:
    if _one(said, "revokedhostkeys") not in _NONE:
        return "RevokedHostKeys is set, and lists of that kind can't be read here"
    if _one(said, "proxyusefdpass") == "yes" and _one(said, "proxycommand") not in _NONE:
        return "ProxyUseFdpass is set, and a connection can't be taken over here"
    return ""


def _tokens(
    here: Here, asked: str, host: str, port: int, user: str, alias: str, jump: str
) -> dict[str, str]:
    """The tokens of ssh_config(5), "TOKENS", that are known before connecting."""
    through = last_jump(jump).address if jump else ""
    digest = f"{here.name}{host}{port}{user}{through}"
    return {
        "%": "%",
        "C": hashlib.sha1(digest.encode(), usedforsecurity=False).hexdigest(),
        "d": here.home,
        "h": host,
        "i": str(here.uid),
        "j": through,
        "k": alias or asked,
        "L": here.name.partition(".")[0],
        "l": here.name,
        "n": asked,
        "p": str(port),
        "r": user,
        "u": here.user,
    }


def _filled(text: str, tokens: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda match: tokens.get(match[1], match[0]), text)


def _expanded(path: str, tokens: Mapping[str, str], here: Here) -> str:
    """A path as ssh expands it: the home folder, tokens, variables."""
    if path == "~" or path.startswith("~/"):
        path = here.home + path[1:]
    filled = _filled(path, tokens)
    return _VARIABLE.sub(lambda match: here.environment.get(match[1], match[0]), filled)
