"""What a host has that may never have been deployed to: asked as whoever logs in there.

Unlike all other questions this one needs no sudo: that sudo asks for a password is an answer. On a
TrueNAS the middleware tells the rest; it knows administrators by their login.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slipway.doors import Host
from slipway.errors import HostError
from slipway.hosts.checkup import FolderState, folder_state
from slipway.hosts.middleware import Middleware, NasRelease
from slipway.hosts.nas import datasets_call, permissions, release_of, rows
from slipway.hosts.sections import PRELUDE, sections

_ASK_S = 120.0

# $1 whether sudo is wanted, $2 docker, $3 the application's folder, then all folders of interest.
_SITE = f"""{PRELUDE}
wanted=$1 docker=$2 app=$3
shift 3
text user "$(id -un)"
text uid "$(id -u)"
sudo=no
if [ "$wanted" = yes ] && [ "$(id -u)" -ne 0 ] && sudo -n -- sh -c : >/dev/null 2>&1; then
    sudo=yes
fi
text sudo "$sudo"
as() {{
    if [ "$sudo" = yes ]; then sudo -n -- sh -c 'exec "$@"' as "$@"; else "$@"; fi
}}
if found=$(as "$docker" version --format '{{{{.Server.Version}}}}' 2>&1); then
    text docker "$found"
else
    text docker_said "$found"
fi
text docker_there "$(as sh -c 'command -v "$1"' there "$docker" || :)"
text compose "$(as "$docker" compose version --short 2>/dev/null || :)"
near=$app
while [ ! -e "$near" ]; do near=$(dirname -- "$near"); done
if as test -w "$near"; then text writable yes; fi
for folder; do
    text "folder $folder" "$(as stat -L -c '%u %g %a %F' -- "$folder" 2>/dev/null || :)"
done
text nas "$(command -v midclt || :)"
"""


@dataclass(frozen=True, slots=True)
class NasSite:
    """What a TrueNAS says of itself before a first deploy.

    Attributes:
        release: which one it is; None when it doesn't say.
        pools: names of the pools.
        pool: the one chosen for apps; empty for none.
        datasets: name to kind and mode of its permissions, such as ``POSIX DISCARD``; those of the
            paths that were asked for.
        user_id: TrueNAS' number for whoever logs in; None for somebody who is none of its own.
        nopasswd: commands that sudo runs for them without a password.
        ssh_starts: whether SSH starts with the system.
        refused: why something could not be asked; empty when everything was.
    """

    release: NasRelease | None = None
    pools: tuple[str, ...] = ()
    pool: str = ""
    datasets: Mapping[str, str] = field(default_factory=dict)
    user_id: int | None = None
    nopasswd: tuple[str, ...] = ()
    ssh_starts: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """What was seen.

    Attributes:
        user: who logs in.
        uid: their number.
        sudo: whether sudo runs commands for them without a password; False when it isn't wanted.
        docker: version of Docker that answers; empty when none does.
        docker_missing: whether there is no such program.
        docker_said: what it said instead of an answer.
        compose: version of its plugin; empty when there is none.
        writable: whether the application's folder, or what is nearest to it, can be written in by
            them, or by root where sudo works.
        folders: path to what is there; None where nothing is.
        nas: what a TrueNAS says; None on any other host.
    """

    user: str = ""
    uid: int = 0
    sudo: bool = False
    docker: str = ""
    docker_missing: bool = False
    docker_said: str = ""
    compose: str = ""
    writable: bool = False
    folders: Mapping[str, FolderState | None] = field(default_factory=dict)
    nas: NasSite | None = None


def read_site(host: Host, *, sudo: bool, docker: str, app_dir: str) -> Site:
    """Ask a host, in one round trip; a TrueNAS in a second one. Nothing is changed.

    Args:
        host: the machine, without sudo.
        sudo: whether it is used with sudo.
        docker: the docker program there.
        app_dir: the application's folder there.

    Raises:
        HostError: it can't be asked.
    """
    paths = (app_dir, f"{app_dir}/data")
    argv = ("sh", "-c", _SITE, "site", "yes" if sudo else "no", docker, app_dir, *paths)
    done = host.run(argv, timeout=_ASK_S)
    found = {
        name: data.decode("utf-8", "replace")
        for name, data in sections(done.stdout, where=host.name)
    }
    site = parse_site(found)
    if not found.get("nas"):
        return site
    return replace(site, nas=_read_nas(host, site.user, paths))


def parse_site(found: Mapping[str, str]) -> Site:
    """Read what the script printed. Pure."""
    uid = found.get("uid", "")
    return Site(
        user=found.get("user", ""),
        uid=int(uid) if uid.isdigit() else -1,
        sudo=found.get("sudo") == "yes",
        docker=found.get("docker", "").strip(),
        docker_missing=not found.get("docker_there"),
        docker_said=" ".join(found.get("docker_said", "").split()),
        compose=found.get("compose", "").strip().removeprefix("v"),
        writable=found.get("writable") == "yes",
        folders={
            name.removeprefix("folder "): folder_state(text)
            for name, text in found.items()
            if name.startswith("folder ")
        },
    )


def _read_nas(host: Host, user: str, paths: Sequence[str]) -> NasSite:
    answers = Middleware(host).ask(
        ("system.version",),
        ("docker.config",),
        ("pool.query",),
        datasets_call(paths),
        ("user.query", [["username", "=", user]]),
        ("service.query", [["service", "=", "ssh"]]),
    )
    refused = next((one.message for one in answers if isinstance(one, HostError)), "")
    return parse_nas_site([None if isinstance(one, HostError) else one for one in answers], refused)


def parse_nas_site(answers: Sequence[Any], refused: str = "") -> NasSite:
    """Read the answers of :func:`_read_nas`, in its order; None for a call that failed. Pure."""
    version, docker, pools, datasets, users, services = answers
    user = next(iter(rows(users)), {})
    return NasSite(
        release=release_of(version),
        pools=tuple(str(one["name"]) for one in rows(pools) if "name" in one),
        pool=str(docker.get("pool") or "") if isinstance(docker, Mapping) else "",
        datasets={str(one.get("id")): permissions(one) for one in rows(datasets)},
        user_id=user["id"] if isinstance(user.get("id"), int) else None,
        nopasswd=tuple(str(one) for one in user.get("sudo_commands_nopasswd") or ()),
        ssh_starts=any(one.get("enable") is True for one in rows(services)),
        refused=refused,
    )
