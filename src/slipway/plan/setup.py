"""What a host lacks before the first deploy, and who makes it. Pure.

From what is wanted of a host and what was seen of it to things, each of which is there, is made by
calls or a command, or has to be done by a person. What is there and is otherwise is never changed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from slipway.hosts.site import NasSite, Site
from slipway.hosts.table import TABLE

State = Literal["there", "make", "person"]
#: Owner of a stack's data: the user ``apps`` of every TrueNAS, and of the images' services.
APPS_ID = 568
#: What a deploy runs through ``sudo -n``; ``docs/reference/privileges.md``.
SUDO = ("/usr/bin/sh", "/usr/bin/docker")
_RESTRICTED = "NFSV4 RESTRICTED"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a TrueNAS' middleware.

    Attributes:
        method: such as ``docker.update``.
        args: its arguments, as JSON has them.
        job: whether it starts a job, whose end is waited for.
    """

    method: str
    args: tuple[object, ...]
    job: bool = False


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that a host has to have.

    Attributes:
        name: what it is, for programs: ``login``, ``sudo``, ``roles``, ``ssh``, ``pool``,
            ``dataset``, ``data``, ``folder``, ``docker``, ``compose``, ``release``.
        what: what is there, is made, or is missing; a sentence without its full stop.
        state: ``there``; ``make`` when it is made here; ``person`` when somebody has to do it.
        how: what that person does.
        calls: what makes it on a TrueNAS, in this order.
        command: what makes it elsewhere.
    """

    name: str
    what: str
    state: State = "there"
    how: str = ""
    calls: tuple[Call, ...] = ()
    command: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """All but the way in which it is made."""
        return {"name": self.name, "what": self.what, "state": self.state, "how": self.how or None}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a host is to be.

    Attributes:
        app_dir: the application's folder there, absolute.
        sudo: whether everything is run there through ``sudo -n``.
    """

    app_dir: str
    sudo: bool

    @property
    def data_dir(self) -> str:
        """The folder of the application's data."""
        return f"{self.app_dir}/data"


def plan_setup(wanted: Wanted, site: Site) -> tuple[Thing, ...]:
    """What a host has, lacks, and who makes it; in the order in which it is made."""
    things = [Thing("login", f"{site.user} logs in by a key, and the host is known")]
    if site.nas is not None:
        things += _of_nas(wanted, site, site.nas)
    else:
        things += _of_server(wanted, site)
    return tuple(things)


def _of_nas(wanted: Wanted, site: Site, nas: NasSite) -> Iterator[Thing]:
    release = nas.release
    if release is None or not release.works:
        said = release.text if release else "nothing of its release"
        yield person("release", f"TrueNAS says {said}, and 24.10 is the oldest that works",
                      "System > Update")  # fmt: skip
        return
    yield Thing("release", f"TrueNAS {release.text}")
    if nas.refused:
        yield person(
            "rights",
            f"{site.user} may not ask everything: {nas.refused}",
            "Credentials > Users > the user > Groups: builtin_administrators; then again",
        )
        return
    yield _nas_sudo(wanted, site, nas)
    if nas.ssh_starts:
        yield Thing("ssh", "SSH starts with the system")
    else:
        call = Call("service.update", ("ssh", {"enable": True}))
        yield Thing("ssh", "SSH starts with the system", "make", calls=(call,))
    yield _pool(nas)
    yield from _datasets(wanted, site, nas)


def _nas_sudo(wanted: Wanted, site: Site, nas: NasSite) -> Thing:
    if site.uid == 0:
        return Thing("sudo", "root needs no sudo")
    if not wanted.sudo:
        what = f"{site.user} may not use Docker without sudo"
        return person("sudo", what, f"set sudo = true in {TABLE}")  # fmt: skip
    if site.sudo:
        return Thing("sudo", f"sudo asks {site.user} for no password")
    if nas.user_id is None:
        what = f"{site.user} is no user of TrueNAS' own, and sudo asks for a password"
        return person("sudo", what, _sudo_by_hand())
    commands = [*nas.nopasswd, *(one for one in SUDO if one not in nas.nopasswd)]
    if "ALL" in nas.nopasswd:
        what = f"all commands are allowed to {site.user} without a password, and sudo refuses sh"
        return person("sudo", what, "sudo -l on the server says why")
    call = Call("user.update", (nas.user_id, {"sudo_commands_nopasswd": commands}))
    return Thing("sudo", f"sudo lets {site.user} run {' and '.join(SUDO)} without a password; "
                 "each of them can do anything as root", "make", calls=(call,))  # fmt: skip


def _sudo_by_hand() -> str:
    return f"Credentials > Users > Edit > Allowed sudo commands with no password: {', '.join(SUDO)}"


def _pool(nas: NasSite) -> Thing:
    if nas.pool:
        return Thing("pool", f"apps are on the pool {nas.pool}")
    if len(nas.pools) == 1:
        call = Call("docker.update", ({"pool": nas.pools[0]},), job=True)
        what = f"apps, and so Docker, are on the pool {nas.pools[0]}; that starts Docker"
        return Thing("pool", what, "make", calls=(call,))
    if not nas.pools:
        return person("pool", "there is no pool", "Storage > Create Pool; then again")
    return person("pool", f"no pool is chosen for apps, and there are {', '.join(nas.pools)}",
                   "Apps > Configuration > Choose Pool; then again")  # fmt: skip


def _datasets(wanted: Wanted, site: Site, nas: NasSite) -> Iterator[Thing]:
    name = wanted.app_dir.removeprefix("/mnt/")
    pool, _, rest = name.partition("/")
    if not wanted.app_dir.startswith("/mnt/") or not rest:
        yield person(
            "dataset",
            f"{wanted.app_dir} is in no pool: TrueNAS replaces it with each update",
            f"set app_dir to a folder such as /mnt/{(*nas.pools, 'tank')[0]}/apps/NAME",
        )
        return
    if pool not in nas.pools:
        yield person("dataset", f"there is no pool {pool} for {wanted.app_dir}",
                      f"set app_dir to a folder of {' or '.join(nas.pools) or 'a pool'}, or make "
                      "the pool: Storage > Create Pool")  # fmt: skip
        return
    yield _dataset("dataset", name, wanted.app_dir, site, nas, ())
    owner = Call(
        "filesystem.chown",
        ({"path": wanted.data_dir, "uid": APPS_ID, "gid": APPS_ID},),
        job=True,
    )
    yield _dataset("data", f"{name}/data", wanted.data_dir, site, nas, (owner,))


def _dataset(
    kind: str, name: str, path: str, site: Site, nas: NasSite, after: tuple[Call, ...]
) -> Thing:
    """A dataset with POSIX permissions, which PostgreSQL needs to set its folder's mode."""
    if name in nas.datasets:
        if nas.datasets[name] == _RESTRICTED:
            return person(
                kind,
                f"the dataset {name} has NFSv4 permissions in restricted mode, in which PostgreSQL "
                "can't set its folder's mode; it is left as it is",
                "Datasets > Edit > Advanced Options > ACL Type: POSIX, or another app_dir",
            )
        return Thing(kind, f"the dataset {name}")
    if site.folders.get(path) is not None:
        # What deploys made is data that nobody moves unasked.
        return Thing(kind, f"{path} is a folder of another dataset: it is left, and works, "
                     "without snapshots of its own")  # fmt: skip
    made = {
        "name": name,
        "share_type": "GENERIC",
        "acltype": "POSIX",
        "aclmode": "DISCARD",
        "create_ancestors": True,
    }
    owner = f", owned by apps ({APPS_ID})" if after else ""
    return Thing(kind, f"the dataset {name}, preset Generic{owner}", "make",
                 calls=(Call("pool.dataset.create", (made,)), *after))  # fmt: skip


def _of_server(wanted: Wanted, site: Site) -> Iterator[Thing]:
    if not wanted.sudo or site.uid == 0:
        yield Thing("sudo", f"everything is run as {site.user}")
    elif site.sudo:
        yield Thing("sudo", f"sudo asks {site.user} for no password")
    else:
        rule = f"{site.user} ALL=(root) NOPASSWD: {', '.join(SUDO)}"
        yield person(
            "sudo",
            f"sudo asks {site.user} for a password, or is not there",
            f"there, as root: echo {shlex.quote(rule)} >/etc/sudoers.d/slipway && chmod 0440 "
            "/etc/sudoers.d/slipway",
        )
    yield from _docker(wanted, site)
    yield _folder(wanted, site)


def _docker(wanted: Wanted, site: Site) -> Iterator[Thing]:
    if site.docker:
        yield Thing("docker", f"Docker {site.docker} runs")
    elif site.docker_missing:
        yield person("docker", "there is no Docker",
                      "install it: https://docs.docker.com/engine/install/")  # fmt: skip
        return
    elif "permission denied" in site.docker_said.lower():
        what = f"{site.user} has no rights to Docker"
        waits = wanted.sudo and not site.sudo
        how = "mend sudo first" if waits else f"there, as root: usermod -aG docker {site.user}"
        yield person("docker", what, how)
    else:
        yield person("docker", f"Docker doesn't answer: {site.docker_said or 'no reason given'}",
                      "there, as root: systemctl enable --now docker")  # fmt: skip
    if site.compose:
        yield Thing("compose", f"Compose {site.compose}")
    else:
        yield person("compose", "Docker has no Compose plugin",
                      "install it: https://docs.docker.com/compose/install/linux/")  # fmt: skip


def _folder(wanted: Wanted, site: Site) -> Thing:
    path, state = wanted.app_dir, site.folders.get(wanted.app_dir)
    if state is not None and not state.folder:
        return person("folder", f"{path} is there, and is no folder", "set another app_dir")
    if state is not None and site.writable:
        return Thing("folder", f"{path}, where {site.user} may write")
    if site.writable:
        return Thing("folder", f"{path}, of mode 0755", "make",
                     command=("mkdir", "-p", "-m", "0755", "--", path))  # fmt: skip
    who = shlex.quote(site.user)
    return person(
        "folder",
        f"{site.user} may not write in {path}" if state else f"{site.user} may not make {path}",
        f'there, as root: install -d -o {who} -g "$(id -g {who})" -m 0755 {shlex.quote(path)}',
    )


def person(name: str, what: str, how: str) -> Thing:
    """Something that somebody has to do."""
    return Thing(name, what, "person", how)
