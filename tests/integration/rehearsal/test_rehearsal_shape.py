"""A running rehearsal host is the machine it stands for."""

from __future__ import annotations

import dataclasses
import json
import time
import urllib.request
from pathlib import Path

import pytest
from tests.integration.rehearsal.conftest import Lab, ask, ssh

from slipway.hosts.rehearsal import ADMIN, DOCKER_DATA, POOL, RehearsalInfo, keys

Booted = tuple[Lab, RehearsalInfo]
COMPOSE = """
services:
  web:
    image: box:1
    command: [httpd, -f, -p, "80", -h, /www]
    init: true
    ports: ["8081:80"]
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 20
    networks: [front]
    volumes: ["/mnt/tank/data:/data"]
networks:
  front: {}
"""


def _page(url: str) -> bytes:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bytes(answer.read())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_key_opens_root_and_host_key_is_checked(booted: Booted, tmp_path: Path) -> None:
    """Login works with the host's key known, and not with another host key."""
    _, info = booted
    assert ask(info, "hostname") == "shared"
    wrong = tmp_path / "known_hosts"
    public = ask(info, "cat", "/etc/ssh/authorized_keys")
    wrong.write_text(f"{info.address} {public}\n")
    other = dataclasses.replace(info, known_hosts_path=str(wrong))
    refused = ssh(other, "true")
    assert refused.returncode == 255
    assert b"Host key verification failed" in refused.stderr


def test_no_other_key_and_no_password_opens(booted: Booted, tmp_path: Path) -> None:
    """A key the host doesn't know is refused."""
    keys.ensure(tmp_path / "other")
    _, info = booted
    other = dataclasses.replace(info, key_path=str(tmp_path / "other" / keys.CLIENT))
    refused = ssh(other, "true")
    assert refused.returncode == 255
    assert b"Permission denied (publickey)" in refused.stderr


def test_admin_has_sudo_but_not_docker(booted: Booted) -> None:
    """truenas_admin has TrueNAS' number, can't reach Docker by itself, and can by sudo."""
    _, info = booted
    assert ssh(info, "id", "-u", user=ADMIN).stdout.strip() == b"950"
    assert ssh(info, "docker", "ps", user=ADMIN).returncode != 0
    done = ssh(info, "sudo", "-n", "docker", "ps", user=ADMIN)
    assert done.returncode == 0, done.stderr


def test_docker_is_truenas_docker(booted: Booted) -> None:
    """Docker uses overlay2 with its data on the pool, and Compose is version 2 or newer."""
    _, info = booted
    facts = json.loads(ask(info, "docker", "info", "-f", "'{{json .}}'"))
    assert facts["Driver"] == "overlay2"
    assert facts["DockerRootDir"] == DOCKER_DATA
    assert facts["ServerVersion"] == info.docker_version
    assert facts["MemoryLimit"] and facts["PidsLimit"] and facts["CpuCfsQuota"]
    assert int(ask(info, "docker", "compose", "version", "--short").split(".")[0]) >= 2


def test_file_systems_are_truenas_shaped(booted: Booted) -> None:
    """/usr can't be written, /tmp and /home can't run programs, the pool can do both."""
    lab, info = booted
    assert b"Read-only file system" in ssh(info, "touch", "/usr/bin/x").stderr
    script = "'cp /usr/bin/true {0}/t && {0}/t'"
    assert ssh(info, "sh", "-c", script.format("/tmp")).returncode == 126
    assert ssh(info, "sh", "-c", script.format("/home")).returncode == 126
    assert ssh(info, "sh", "-c", script.format(POOL)).returncode == 0
    assert (lab.root / "shared/pool/t").exists()
    assert b"Read-only" in ssh(info, "sh", "-c", "'echo 1 > /proc/sys/vm/swappiness'").stderr


def test_there_is_no_way_out(booted: Booted) -> None:
    """The host has no default route, and a container learns at once that a name is unknown."""
    _, info = booted
    assert "default" not in ask(info, "ip", "route")
    done = ssh(
        info, "timeout", "8", "docker", "run", "--rm", "box:1", "wget", "-T", "30",
        "http://nowhere.example/",
    )  # fmt: skip
    assert done.returncode == 1, "124 would be the time limit"
    assert b"bad address" in done.stderr


def test_compose_publishes_limits_and_binds(booted: Booted) -> None:
    """A Compose service answers from this machine, within its limits, with its data on the pool."""
    lab, info = booted
    ask(info, "mkdir", "-p", f"{POOL}/app", f"{POOL}/data")
    ask(info, "sh", "-c", f"'cat > {POOL}/app/compose.yml'", data=COMPOSE.encode())
    compose = ["docker", "compose", "-p", "app", "-f", f"{POOL}/app/compose.yml"]
    ask(info, *compose, "up", "-d", "--wait")
    try:
        assert _page(f"http://{info.address}:8081/") == b"hello\n"
        ask(info, *compose, "exec", "-T", "web", "sh", "-c", "'echo x > /data/seen'")
        assert (lab.root / "shared/pool/data/seen").read_text() == "x\n"
        burst = "'for i in $(seq 40); do sleep 5 & done'".replace("$(seq 40)", " ".join("x" * 40))
        crowd = ssh(info, *compose, "exec", "-T", "web", "sh", "-c", burst)
        assert b"can't fork" in crowd.stderr
        quota = "cat /sys/fs/cgroup/cpu*/docker/*/cpu.cfs_quota_us /sys/fs/cgroup/docker/*/cpu.max"
        assert "50000" in ssh(info, f"{quota} 2>/dev/null").stdout.decode()
    finally:
        ask(info, *compose, "down", "-t", "1")


def test_memory_limit_is_enforced(booted: Booted) -> None:
    """A container that takes more memory than it may is killed by the kernel for it."""
    _, info = booted
    take = ["dd", "if=/dev/zero", "of=/dev/null", "bs=100M", "count=1"]
    done = ssh(info, "docker", "run", "--name", "hungry", "-m", "32m", "box:1", *take)
    try:
        assert done.returncode == 137
        killed = ask(info, "docker", "inspect", "-f", "'{{.State.OOMKilled}}'", "hungry")
        assert killed == "true"
    finally:
        ask(info, "docker", "rm", "-f", "hungry")
    roomy = ["docker", "run", "--rm", "-m", "256m", "box:1", *take]
    assert ssh(info, *roomy).returncode == 0


def test_docker_load_works(booted: Booted) -> None:
    """What `docker save` wrote, `docker load` takes: the root is a real mount, not a chroot."""
    _, info = booted
    loaded = ask(info, "sh", "-c", "'docker save box:1 | docker load'")
    assert loaded == "Loaded image: box:1"


@pytest.mark.parametrize("user", ["root", ADMIN])
def test_a_terminal_can_be_had(booted: Booted, user: str) -> None:
    """ssh -tt gives a terminal, which interactive commands need."""
    _, info = booted
    assert b"/dev/pts/" in ssh(info, "tty", user=user, tty=True).stdout
