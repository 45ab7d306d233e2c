"""Where the stand-in finds and keeps things."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from .releases import RELEASES, Release


@dataclass(frozen=True, slots=True)
class Settings:
    """Places, as on a TrueNAS unless told otherwise.

    Attributes:
        release: which TrueNAS it is.
        socket: the Unix socket that clients connect to.
        pools: the folder that pools are mounted in; each folder in it is a pool.
        apps: the folder of apps.
        data: the folder that outlives a boot, for Docker's settings.
        log: file for what Compose said when it failed.
        jobs_log: folder of the logs of jobs.
        docker: the Docker client program.
        docker_config: the folder that ``--config`` names.
        faults: the file that tells what should go wrong.
        sudoers: sudo's rules.
    """

    release: Release
    socket: Path = Path("/run/middleware/middlewared.sock")
    pools: Path = Path("/mnt")
    apps: Path = Path("/mnt/.ix-apps")
    data: Path = Path("/data")
    log: Path = Path("/var/log/app_lifecycle.log")
    jobs_log: Path = Path("/var/log/jobs")
    docker: str = "/usr/bin/docker"
    docker_config: str = "/etc/docker"
    faults: Path = Path("/run/nas/faults.json")
    sudoers: Path = Path("/etc/sudoers")


def read(argv: list[str]) -> Settings:
    """The settings that a command line tells."""
    parser = argparse.ArgumentParser(prog="middlewared")
    parser.add_argument("--release", required=True, choices=list(RELEASES))
    for name in ("socket", "pools", "apps", "data", "log", "jobs-log", "faults", "sudoers"):
        parser.add_argument(f"--{name}", type=Path, default=argparse.SUPPRESS)
    for name in ("docker", "docker-config"):
        parser.add_argument(f"--{name}", default=argparse.SUPPRESS)
    told = vars(parser.parse_args(argv))
    return Settings(RELEASES[told.pop("release")], **told)
