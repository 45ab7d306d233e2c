"""Could this deploy work on this host? Asked before anything is changed; all problems at once.

:func:`problems` is pure; :func:`read_facts` asks the host, in one round trip for what isn't
Docker's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from slipway.doors import Host
from slipway.errors import DeployError, HostError
from slipway.report import human_bytes

_OLDEST_DOCKER = (20, 10)
_OLDEST_COMPOSE = (2, 20)
_DISK_FACTOR = 2.0
_SPARE_BYTES = 100_000_000
_APP_DIR_BYTES = 20_000_000

# $1 the application's folder, $2 Docker's folder. Prints NAME=VALUE lines; a folder that isn't
# there yet is judged by its nearest parent. Writing is tried, not guessed from mode bits.
_ASK = """set -u
near() { p=$1; while [ ! -e "$p" ]; do p=$(dirname -- "$p"); done; printf '%s\\n' "$p"; }
free() { df -Pk -- "$1" | { read -r _; read -r _ _ _ left _; echo "$left"; }; }
app=$(near "$1")
echo "arch=$(uname -m)"
echo "app_free_kb=$(free "$app")"
echo "docker_free_kb=$(free "$(near "$2")")"
if probe=$(mktemp -- "$app/.slipway.XXXXXXXXXX" 2>/dev/null); then
    rm -f -- "$probe"
    echo writable=yes
else
    echo writable=no
fi
for table in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$table" ] || continue
    while read -r _ local _ state _; do
        [ "$state" = 0A ] && echo "listen=${local##*:}"
    done <"$table"
done
exit 0
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a host is like.

    Attributes:
        docker: version of its Docker engine, such as ``26.1.5``.
        compose: version of its Compose plugin.
        architecture: as ``uname -m`` says.
        docker_free: free bytes where Docker keeps images.
        app_free: free bytes where the application's folder is.
        writable: whether the application's folder can be written or made.
        listening: TCP ports in use.
        own_ports: those that this application's containers publish.
        made_from: Compose files that this application's containers were made from.
    """

    docker: str
    compose: str
    architecture: str
    docker_free: int
    app_free: int
    writable: bool
    listening: frozenset[int]
    own_ports: frozenset[int] = frozenset()
    made_from: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Needs:
    """What a deploy needs.

    Attributes:
        bytes_to_send: image bytes.
        ports: TCP ports it publishes.
        app_dir: the application's folder.
    """

    bytes_to_send: int
    ports: frozenset[int]
    app_dir: str


def problems(facts: Facts, needs: Needs) -> tuple[str, ...]:
    """Every reason for which the deploy can't work, a sentence each."""
    found = []
    if _version(facts.docker) < _OLDEST_DOCKER:
        found.append(f"Docker {facts.docker} is too old; 20.10 is the oldest that works")
    if _version(facts.compose) < _OLDEST_COMPOSE:
        found.append(f"Docker Compose {facts.compose} is too old; 2.20 is the oldest that works")
    if facts.architecture not in ("x86_64", "amd64"):
        found.append(f"its processor is {facts.architecture}; the images are for x86_64")
    needed = int(needs.bytes_to_send * _DISK_FACTOR)
    if needs.bytes_to_send and facts.docker_free < needed + _SPARE_BYTES:
        found.append(
            f"{human_bytes(facts.docker_free)} are free for images; "
            f"{human_bytes(needed + _SPARE_BYTES)} are needed"
        )
    if facts.app_free < _APP_DIR_BYTES:
        found.append(
            f"{human_bytes(facts.app_free)} are free at {needs.app_dir}; "
            f"{human_bytes(_APP_DIR_BYTES)} are needed"
        )
    if not facts.writable:
        found.append(f"{needs.app_dir} can't be written by the login user")
    for port in sorted(needs.ports & facts.listening - facts.own_ports):
        found.append(f"port {port} is in use by another program")
    elsewhere = [file for file in facts.made_from if not file.startswith(f"{needs.app_dir}/")]
    if elsewhere:
        found.append(
            f"the application runs there already, deployed from {min(elsewhere)}, not from "
            f"{needs.app_dir}: take that one down first, or set app_dir to its folder"
        )
    return tuple(found)


def check(host: str, facts: Facts, needs: Needs) -> None:
    """Refuse a deploy that can't work.

    Raises:
        DeployError: with every reason; nothing was changed.
    """
    found = problems(facts, needs)
    if found:
        raise DeployError(
            f"{host} can't take this deploy: {found[0]}"
            + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
            + "; nothing was changed",
            details=found,
            stage="preflight",
            hint="mend this on the host, then deploy again",
        )


def published_ports(services: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> set[int]:
    """The TCP ports that the named services publish on the host; ranges are counted out."""
    ports: set[int] = set()
    for name in names:
        for item in services[name].get("ports") or []:
            ports |= _published(item)
    return ports


def _published(item: Any) -> set[int]:
    if isinstance(item, dict):
        text, protocol = str(item.get("published", "")), str(item.get("protocol", "tcp"))
    else:
        text, _, protocol = str(item).partition("/")
        text = text.rpartition(":")[0].rpartition(":")[2]
    match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    if match is None or (protocol or "tcp") != "tcp":
        return set()
    first = int(match[1])
    return set(range(first, int(match[2] or first) + 1))


def read_facts(
    host: Host,
    app_dir: str,
    *,
    docker: str,
    compose: str,
    docker_root: str,
    own_ports: frozenset[int] = frozenset(),
    made_from: frozenset[str] = frozenset(),
) -> Facts:
    """Ask the host.

    Args:
        docker: version of its engine.
        compose: version of its Compose plugin.
        docker_root: where its engine keeps images.
        own_ports: TCP ports that this application's containers publish.
        made_from: Compose files that they were made from.

    Raises:
        HostError: it gave no answer we understand.
    """
    text = host.run(("sh", "-c", _ASK, "preflight", app_dir, docker_root), timeout=60).text
    facts = parse_facts(text, docker=docker, compose=compose, host=host.name)
    return replace(facts, own_ports=own_ports, made_from=made_from)


def parse_facts(text: str, *, docker: str, compose: str, host: str) -> Facts:
    """Read what the host printed. Pure.

    Raises:
        HostError: a line is missing or is no number.
    """
    values: dict[str, str] = {}
    listening = set()
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name == "listen":
            listening.add(int(value, 16))
        else:
            values[name] = value
    try:
        return Facts(
            docker=docker,
            compose=compose,
            architecture=values["arch"],
            docker_free=int(values["docker_free_kb"]) * 1024,
            app_free=int(values["app_free_kb"]) * 1024,
            writable=values["writable"] == "yes",
            listening=frozenset(listening),
        )
    except (KeyError, ValueError) as error:
        raise HostError(
            f"{host} did not answer which disk space and ports it has: {error}",
            details=text.splitlines()[-5:],
            stage="preflight",
        ) from error


def _version(text: str) -> tuple[int, ...]:
    numbers = re.findall(r"[0-9]+", text)
    return tuple(int(number) for number in numbers[:2])
