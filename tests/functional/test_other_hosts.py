"""The other kinds of host: a machine over SSH whose admin uses sudo, and this machine's Docker.

Both work on the site's engine, with an application folder of their own; the site's stack makes
room and comes back with its next deploy.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.functional.conftest import FILES, Ended, Site
from tests.functional.nas import APP, STANDING, SUDO, Nas

from slipway.hosts.rehearsal import POOL, machine, state
from slipway.hosts.rehearsal.values import Places

HOSTS = "deploy/hosts.toml"


@pytest.fixture
def engine(site: Site) -> Iterator[dict[str, Any]]:
    """How to reach the site's host, on which nothing runs; hosts.toml is put back."""
    kept = (site.root / HOSTS).read_bytes()
    info: dict[str, Any] = site.good("rehearsal.up", "--name", site.host, "--json").json
    ended = site.inv("down")
    assert ended.code == 0 or "nothing is deployed" in ended.err, ended.err
    yield info
    (site.root / HOSTS).write_bytes(kept)


def add_host(site: Site, name: str, entry: dict[str, Any]) -> None:
    """One more host in hosts.toml."""
    lines = [f"{key} = {_toml(value)}" for key, value in entry.items()]
    with (site.root / HOSTS).open("a", encoding="utf-8") as file:
        file.write(f"\n[host.{name}]\n" + "\n".join(lines) + "\n")


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


def whole_life(
    inv: Callable[..., Ended], host: str, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Deploy everything, again with nothing to do, look, take down."""
    try:
        first = inv("deploy", "--host", host, "--json")
        assert first.code == 0, first.err
        assert first.json["outcome"] == "deployed"
        assert first.json["containers_touched"] == STANDING
        again = inv("deploy", "--host", host, "--json")
        assert again.code == 0, again.err
        assert again.json["outcome"] == "unchanged"
        assert (again.json["bytes_sent"], again.json["containers_touched"]) == (0, 0)
        seen = inv("status", "--host", host, "--json").json
        assert seen["release"] == first.json["release"]
        assert [one["health"] for one in seen["services"]] == ["healthy"] * STANDING
        assert seen["drift"] == []
        meanwhile()
    finally:
        ended = inv("down", "--host", host)
    assert ended.code == 0, ended.err


def test_an_admin_with_sudo_deploys_over_ssh(site: Site, engine: dict[str, Any]) -> None:
    """As TrueNAS' admin, with a key and sudo, everything is deployed, and again is nothing.

    The stack is bound to the host's loopback, as behind somebody's own proxy, so it is asked, and
    makes its lesson, through SSH. It is one of TrueNAS' apps, and stopped and started as such. The
    same application is not taken over by a deploy from another folder.
    """
    site.sh("sh", "-c", f"echo {shlex.quote(SUDO)} >> /etc/sudoers")
    add_host(site, "nas", {
        "kind": "ssh",
        "mode": "app",
        "address": engine["address"],
        "user": "truenas_admin",
        "key_file": engine["key_path"],
        "known_hosts": engine["known_hosts_path"],
        "sudo": True,
        "app_dir": f"{POOL}/apps/nas",
        "compose": FILES[:-1],
    })  # fmt: skip

    def started_and_refused() -> None:
        nas = Nas(site, site.host, "25.10")
        assert nas.app()["state"] == "RUNNING"
        nas.call("app.stop", APP, job=True)
        assert nas.app()["state"] == "STOPPED"
        nas.call("app.start", APP, job=True)
        planned = inv("plan", "--host", "nas", "--json").json["containers"]
        assert {one["action"] for one in planned} == {"keep"}, planned
        entry = tomllib.loads((site.root / HOSTS).read_text("utf-8"))["host"]["nas"]
        add_host(site, "other", {**entry, "app_dir": f"{POOL}/apps/other"})
        ended = site.inv("deploy", "--host", "other", "--json")
        assert ended.code == 5, ended.err
        assert "slipway did not make from here" in ended.err

    said: list[str] = []

    def inv(*arguments: str) -> Ended:
        ended = site.inv(*arguments, LANGFLIX_BIND="127.0.0.1")
        said.append(ended.err)
        return ended

    whole_life(inv, "nas", started_and_refused)
    assert "is asked through SSH, from nas" in said[0]
    assert "asked through SSH" not in "".join(said[1:])


def program(path: Path, tree: str, place: str) -> Path:
    """A program of the rehearsal host's tree that runs here, with the tree's own libraries."""
    loader = f"{tree}/usr/lib64/ld-linux-x86-64.so.2"
    argv = [loader, "--library-path", f"{tree}/usr/lib/x86_64-linux-gnu", f"{tree}/{place}"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n', "utf-8")
    path.chmod(0o755)
    return path


# $1 the pool's folder here, $2 where the engine has it, $3 a process of the engine's network.
_BESIDE = """set -eu
top=/$(echo "$2" | cut -d / -f 2)
mount -t tmpfs none "$top"
mkdir -p "$2"
mount --bind "$1" "$2"
pid=$3
shift 3
exec nsenter "--net=/proc/$pid/ns/net" -- "$@"
"""


def test_this_machines_docker_is_deployed_to(
    site: Site, engine: dict[str, Any], tmp_path: Path
) -> None:
    """With kind "local" no SSH is used: Docker's socket and the application's folder are here."""
    places = Places(Path(engine["state_dir"]))
    pid = next(pid for pid in machine.processes(places.marker) if state.is_init(pid))
    docker = program(tmp_path / "bin/docker", engine["tree"], "usr/bin/docker")
    plugin = "usr/libexec/docker/cli-plugins/docker-compose"
    program(tmp_path / "config/cli-plugins/docker-compose", engine["tree"], plugin)
    environment = {
        "DOCKER_HOST": f"unix:///proc/{pid}/root/run/docker.sock",
        "DOCKER_CONFIG": str(tmp_path / "config"),
        "PYTHONPATH": str(site.root / "src"),
    }

    def inv(*arguments: str) -> Ended:
        """The command line where the engine's ports and folders are this machine's."""
        argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _BESIDE, "beside"]
        argv += [str(places.pool), POOL, str(pid), *site.argv(*arguments)]
        done = subprocess.run(
            argv, cwd=site.root, capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, **environment},
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)

    add_host(site, "mine", {
        "kind": "local", "app_dir": f"{POOL}/apps/mine", "docker": str(docker),
        "compose": (FILES[0], FILES[2]),
    })  # fmt: skip
    whole_life(inv, "mine")
