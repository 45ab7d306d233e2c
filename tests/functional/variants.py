"""Hosts of other shapes than the rehearsal host's: programs laid over its own, or taken away.

A variant is a tree of programs made from the rehearsal host's, and perhaps a change that the host
makes itself before its Docker starts, for what its first process needs until then.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.functional.conftest import FILES, Site
from tests.functional.gobuilt import built
from tests.functional.test_other_hosts import add_host, whole_life

from slipway.config import load
from slipway.doors import SystemClock
from slipway.hosts.rehearsal import POOL, RehearsalInfo, Rehearsals
from slipway.report import Report
from slipway.shell import LocalShell
from slipway.supply.outputs import outputs

APP = f"{POOL}/apps/langflix"
_COMPOSE = "usr/libexec/docker/cli-plugins/docker-compose"
_DOCKERD = "usr/sbin/dockerd"
#: Programs that are the host's own and not those of its system.
_KEPT = ("ip", "mount", "runc", "busybox", "su", "sulogin", "getty", "login")
_ZSTD = ("zstd", "unzstd", "zstdcat", "pzstd", "zstdmt", "zstdgrep", "zstdless")
#: What Debian 12's Docker needs of libraries that no other program of the host has.
_OLDEST = ("docker.io", "containerd", "runc", "libdevmapper1.02.1")


@dataclass(frozen=True)
class Variant:
    """A shape of host.

    Attributes:
        name: what to call it.
        lay: changes a copy of the rehearsal host's programs.
        docker: what the version of its engine begins with.
        delta: whether a changed line is sent as a difference.
        ipv6: whether every network has IPv6.
    """

    name: str
    lay: Callable[[Path], None]
    docker: str = ""
    delta: bool = True
    ipv6: bool = False

    def __str__(self) -> str:
        return self.name


def run(*argv: str | Path, cwd: Path | None = None) -> str:
    """What a program of this machine printed."""
    done = subprocess.run(
        argv, cwd=cwd, capture_output=True, text=True, timeout=600, check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def oldest(tree: Path) -> None:
    """Docker 20.10, the oldest that is said to work: that of Debian 12."""
    found = re.search(r"Candidate: (\S+)", run("apt-cache", "policy", "docker.io"))
    candidate = found[1] if found else "none"
    if not candidate.startswith("20.10"):
        pytest.skip(f"this distribution's Docker is {candidate}; Debian 12 has 20.10")
    packages = tree.parent / "packages"
    packages.mkdir()
    run("apt-get", "download", "-o", "APT::Sandbox::User=root", *_OLDEST, cwd=packages)
    for package in packages.glob("*.deb"):
        run("dpkg-deb", "--extract", package, tree)


def containerd_store(tree: Path, more: str = "") -> None:
    """Docker that keeps images in containerd's store, as a new installation of 29 does."""
    features = f'"containerd-snapshotter": true{more}'
    before_docker(
        tree,
        f"""sed 's/"storage-driver": "overlay2"/"features": {{{features}}}/' \\
    /etc/docker/daemon.json >/run/daemon.json
set -- --config-file /run/daemon.json "$@"
""",
    )


def docker_29(tree: Path) -> None:
    """Docker 29 with its client and its store, and Compose 5.6."""
    put(built("moby"), tree / _DOCKERD)
    put(built("docker-proxy"), tree / "usr/sbin/docker-proxy")
    put(built("docker"), tree / "usr/bin/docker")
    newest_compose(tree)
    # Of those Debian 13's runc knows nothing; 1.2 does.
    containerd_store(tree, ', "time-namespaces": false')


def ipv6(tree: Path) -> None:
    """Docker 29 as TrueNAS sets its own up from 25.04 on: IPv6 in every network, by default.

    Docker 26, the rehearsal host's, takes no such default. The settings are those of the
    middleware's ``etc_files/docker/daemon.json.py``; the addresses are an example.
    """
    put(built("moby"), tree / _DOCKERD)
    put(built("docker-proxy"), tree / "usr/sbin/docker-proxy")
    newest_compose(tree)  # that of Debian 13 asks for none in every network
    settings = {
        "ipv6": True,
        "ip6tables": True,
        "default-network-opts": {"bridge": {"com.docker.network.enable_ipv6": "true"}},
        "fixed-cidr-v6": "fdd0::/64",
        "features": {"time-namespaces": False},  # Debian 13's runc doesn't know them
        "default-address-pools": [
            {"base": "172.17.0.0/12", "size": 24}, {"base": "fdd0::/48", "size": 64},
        ],
    }  # fmt: skip
    before_docker(
        tree,
        f"""python3 - <<'END'
import json
settings = json.load(open("/etc/docker/daemon.json")) | json.loads('{json.dumps(settings)}')
json.dump(settings, open("/run/daemon.json", "w"))
END
set -- --config-file /run/daemon.json "$@"
""",
    )


def oldest_compose(tree: Path) -> None:
    """Compose 2.20, the oldest that is said to work."""
    put(built("compose-2.20"), tree / _COMPOSE)


def newest_compose(tree: Path) -> None:
    """Compose 5.6, the newest whose modules can all be had."""
    put(built("compose-5"), tree / _COMPOSE)


def bare(tree: Path) -> None:
    """A host without python3, zstd and timeout."""
    _remove(tree, (*_ZSTD, "timeout"))
    # Its first process is started by this name, and needs it no more once it runs.
    before_docker(tree, "mount -o remount,bind,rw /usr\nrm /usr/bin/python3 /usr/bin/python3.13\n")


def busybox(tree: Path) -> None:
    """A host whose system is busybox; without zstd, for busybox has none."""
    _remove(tree, _ZSTD)
    here = {name: f"usr/{folder}/{name}" for folder in ("sbin", "bin") for name in _applets(tree)
            if (tree / "usr" / folder / name).is_symlink()
            or (tree / "usr" / folder / name).exists()}  # fmt: skip
    for place in here.values():
        (tree / place).unlink()
        (tree / place).symlink_to("/usr/bin/busybox")


def put(program: Path, place: Path) -> None:
    """Lay a program over another."""
    place.unlink()
    shutil.copy2(program, place)
    place.chmod(0o755)


def before_docker(tree: Path, script: str) -> None:
    """Have a host do something before its Docker is started, whose arguments are ``$@``."""
    (tree / _DOCKERD).rename(tree / f"{_DOCKERD}.own")
    (tree / _DOCKERD).write_text(f'#!/bin/sh\n{script}exec /{_DOCKERD}.own "$@"\n')
    (tree / _DOCKERD).chmod(0o755)


def _applets(tree: Path) -> list[str]:
    return [name for name in run(tree / "usr/bin/busybox", "--list").split() if name not in _KEPT]


def _remove(tree: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tree / "usr/bin" / name).unlink(missing_ok=True)


@contextmanager
def host_of(site: Site, variant: Variant, folder: Path) -> Iterator[RehearsalInfo]:
    """A host of that shape, gone with all that is on it at the end.

    Args:
        site: whose checkout it is of.
        variant: the shape.
        folder: for its programs; on this machine's disk.
    """
    (tree,) = outputs(LocalShell(), site.root, load(site.root), ("rehearsal-host",)).values()
    made = folder / "tree"
    shutil.copytree(tree, made, symlinks=True)
    run("chmod", "-R", "u+w", made)
    variant.lay(made)
    name, shell = f"{variant.name[:12]}-{secrets.token_hex(3)}", LocalShell()
    rehearsals = Rehearsals(
        site.root / ".slipway/rehearsal", shell=shell, clock=SystemClock(), report=Report()
    )
    try:
        yield rehearsals.up(name, made)
    finally:
        rehearsals.down(name)
        shutil.rmtree(made)


def scenario(site: Site, variant: Variant, info: RehearsalInfo) -> None:
    """All of a stack's life there: put up, nothing to do, a changed line, back, taken down."""
    name = variant.name
    add_host(site, name, {
        "kind": "ssh",
        "address": info.address,
        "user": "root",
        "key_file": info.key_path,
        "known_hosts": info.known_hosts_path,
        "app_dir": APP,
        "compose": FILES,
    })  # fmt: skip

    def change_and_back() -> None:
        before = site.good("status", "--host", name, "--json").json["release"]
        with (site.root / "src/langflix/api/app.py").open("a", encoding="utf-8") as file:
            file.write(f"# another line, {secrets.token_hex(3)}\n")
        changed = site.good("deploy", "--host", name, "--json").json
        assert (changed["outcome"], changed["downtime_s"]["seen"]) == ("deployed", {})
        assert (changed["bytes_sent"] < _SMALL) == variant.delta, changed["bytes_sent"]
        said = site.good("exec", "api", "--host", name, "--", "/app/bin/python3", "-c", "print(7)")
        assert said.out == "7\n"
        found = site.good("exec", "api", "--host", name, "--", "/app/bin/python3", "-c", _ADDRESSES)
        assert ("AF_INET6" in found.out) == variant.ipv6, found.out
        site.good("rollback", "--host", name)
        assert site.good("status", "--host", name, "--json").json["release"] == before

    whole_life(site.inv, name, change_and_back)


#: Says which kinds of address another service has.
_ADDRESSES = "import socket; print({one[0].name for one in socket.getaddrinfo('postgres', 5432)})"
#: Bytes of a changed line's difference at most; the application's whole layer has several times it.
_SMALL = 40_000
