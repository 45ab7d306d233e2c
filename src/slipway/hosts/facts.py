"""What a host is like: its Docker and Compose, its processor, free space, ports in use."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from slipway.doors import Host
from slipway.errors import HostError
from slipway.hosts.asking import ask, explain
from slipway.hosts.inspect import version_numbers
from slipway.hosts.sections import PRELUDE, sections
from slipway.runner.containers import PROJECT_LABEL

_SNAPSHOTTER = "io.containerd.snapshotter.v1"
_ASK_S = 60.0
_ZSTD = re.compile(r"\bv(\d+)\.(\d+)")
_INFO = (
    '{"ServerVersion":{{json .ServerVersion}},"DriverStatus":{{json .DriverStatus}},'
    '"DockerRootDir":{{json .DockerRootDir}},"SecurityOptions":{{json .SecurityOptions}},'
    '"MemTotal":{{json .MemTotal}},"NCPU":{{json .NCPU}}}'
)

# Of `df -P` only the last line counts, and of that the number before the percentage: a device's
# name may hold spaces. A folder that isn't there yet is judged by its nearest parent.
DISKS = """
near() { p=$1; while [ ! -e "$p" ]; do p=$(dirname -- "$p"); done; printf '%s\\n' "$p"; }
free() { df -Pk -- "$1" | sed -n '$s/.* \\([0-9][0-9]*\\)  *[0-9][0-9]*% .*/\\1/p'; }
"""
# $app the nearest folder that there is. Writing is tried, not guessed from mode bits.
AROUND = """
text architecture "$(uname -m)"
text nas "$(command -v midclt || :)"
text app_free "$(free "$app")"
if probe=$(mktemp -- "$app/.slipway.XXXXXXXXXX" 2>/dev/null); then
    rm -f -- "$probe"
    text writable yes
else
    text writable no
fi
listening=
for table in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$table" ] || continue
    while read -r _ local _ state _; do
        [ "$state" = 0A ] && listening="$listening ${local##*:}"
    done <"$table"
done
text listening "$listening"
"""
# $1 docker, $2 the application's folder, $3 Compose's project.
_FACTS = f"""{PRELUDE}{DISKS}
info=$("$1" info --format '{_INFO}')
text info "$info"
compose=$("$1" compose version --short 2>&1) || compose="! $compose"
text compose "$compose"
root=$(printf '%s' "$info" | sed 's/.*"DockerRootDir":"\\([^"]*\\)".*/\\1/')
app=$(near "$2")
volumes=$("$1" volume ls --quiet --filter "label={PROJECT_LABEL}=$3")
text volumes "$volumes"
text docker_free "$(free "$(near "$root")")"
text zstd "$(zstd --version 2>/dev/null || :)"
kept=
for name in "$2"/cache/reference.*; do [ ! -f "$name" ] || kept="$kept ${{name##*.}}"; done
text references "$kept"
{AROUND}"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a host is like.

    Attributes:
        docker: version of its Docker engine, such as ``26.1.5``; empty where nobody may ask it.
        compose: version of its Compose plugin; likewise.
        root: folder where the engine keeps images.
        containerd_store: whether images live in containerd's store; else in a graph driver's.
        zstd: major and minor version of its ``zstd`` program; zeros when it has none.
        references: sha256 of each archive that it keeps for the next difference.
        volumes: the application's, by Docker's names.
        architecture: as ``uname -m`` says.
        docker_free: free bytes where Docker keeps images.
        app_free: free bytes where the application's folder is.
        writable: whether the application's folder can be written or made.
        listening: TCP ports in use.
        memory: bytes that it has; 0 when it does not say.
        processors: how many it has; 0 when it does not say.
        nas: whether it is a TrueNAS.
        roles: what the login user may do by its middleware; None when that was not asked.
        confined: by what its Docker confines containers, such as ``seccomp`` and ``apparmor``; None
            when it does not say.
    """

    docker: str
    compose: str
    root: str = "/var/lib/docker"
    containerd_store: bool = False
    zstd: tuple[int, int] = (0, 0)
    references: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    architecture: str = "x86_64"
    docker_free: int = 0
    app_free: int = 0
    writable: bool = True
    listening: frozenset[int] = frozenset()
    memory: int = 0
    processors: int = 0
    nas: bool = False
    roles: frozenset[str] | None = None
    confined: frozenset[str] | None = None

    @property
    def release(self) -> tuple[int, int]:
        """Docker's major and minor version; zeros where it has no numbers."""
        return version_numbers(self.docker)


def read_facts(host: Host, app_dir: str, project: str, *, docker: str = "docker") -> Facts:
    """Ask a host, in one round trip.

    Args:
        app_dir: the application's folder.
        project: its name as Compose's project.
        docker: the docker program.

    Raises:
        HostError: there is no Docker or Compose, they don't answer, or the login user may not use
            them.
    """
    done = ask(host, ("sh", "-c", _FACTS, "facts", docker, app_dir, project), timeout=_ASK_S)
    found = {name: data.decode() for name, data in sections(done.stdout, where=host.name)}
    try:
        compose, info = found["compose"].strip(), json.loads(found["info"])
        if not info["ServerVersion"]:
            # Some clients (26.1) end with 0 though the engine didn't answer or refused.
            raise explain(replace(done, exit_code=1), where=host.name)
        facts = _facts(info, compose, found)
    except (KeyError, ValueError, TypeError) as error:
        raise HostError(
            f"{host.name} did not answer what Docker, disk space and ports it has: {error}",
            details=[f"{name} {text[:80]}" for name, text in found.items()][-5:],
            stage="preflight",
        ) from error
    if compose.startswith("!") or not compose:
        raise HostError(
            f"Docker on {host.name} has no Compose plugin (`{docker} compose` doesn't work)",
            hint="install Compose v2 there (Debian: apt-get install docker-compose)",
            stage="docker",
            details=compose.removeprefix("! ").splitlines()[-1:],
        ).by("compose-missing")
    return facts


def _facts(info: Mapping[str, Any], compose: str, found: Mapping[str, str]) -> Facts:
    status: Sequence[Any] = info.get("DriverStatus") or []
    zstd = _ZSTD.search(found["zstd"])
    return Facts(
        docker=str(info["ServerVersion"]),
        compose=compose.removeprefix("v"),
        root=str(info["DockerRootDir"]),
        containerd_store=["driver-type", _SNAPSHOTTER] in status,
        zstd=(int(zstd[1]), int(zstd[2])) if zstd else (0, 0),
        references=tuple(found["references"].split()),
        volumes=tuple(found["volumes"].split()),
        architecture=found["architecture"],
        docker_free=int(found["docker_free"]) * 1024,
        app_free=int(found["app_free"]) * 1024,
        writable=found["writable"] == "yes",
        memory=int(info.get("MemTotal") or 0),
        processors=int(info.get("NCPU") or 0),
        listening=frozenset(int(port, 16) for port in found["listening"].split()),
        nas=bool(found.get("nas", "").strip()),
        confined=_confined(info.get("SecurityOptions")),
    )


def _confined(options: Sequence[Any] | None) -> frozenset[str] | None:
    """The names in ``name=seccomp,profile=builtin``; a profile ``unconfined`` confines nothing."""
    if options is None:
        return None
    words = [dict(_pair(word) for word in str(option).split(",")) for option in options]
    return frozenset(
        one["name"] for one in words if "name" in one and one.get("profile") != "unconfined"
    )


def _pair(word: str) -> tuple[str, str]:
    key, _, value = word.partition("=")
    return key, value
