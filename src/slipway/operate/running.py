"""Work with a stack that runs: logs, commands in it, one-off commands."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from slipway.act.doors import Doors
from slipway.act.rights import need_docker
from slipway.errors import ConfigError, DeployError
from slipway.ledger.release import Release
from slipway.operate.standing import compose_of
from slipway.runner import applogs

_SINCE = re.compile(r"([0-9]+[smhd]|[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]+Z?)?)\Z")


def live_release(doors: Doors) -> Release:
    """The live release.

    Raises:
        DeployError: there is none.
    """
    live = doors.folder.read().records.live
    if live is None:
        raise DeployError(
            f"nothing is deployed on {doors.host.name}", hint="./inv deploy", stage="read"
        )
    return live


def logs_arguments(service: str, *, follow: bool, lines: int, since: str) -> tuple[str, ...]:
    """Compose's arguments for logs. Pure.

    Raises:
        ConfigError: ``since`` is neither a span such as ``10m`` nor a date.
    """
    if since and not _SINCE.match(since):
        raise ConfigError(
            f"--since {since} is neither a span such as 10m nor a date such as 2026-01-31",
            hint="./inv logs --since 10m",
            stage="config",
        )
    if lines < 0:
        raise ConfigError(f"--number {lines} should be 0 or more", stage="config")
    return (
        *("--ansi", "never"),  # else each line begins by erasing one, in a file as well
        "logs",
        "--no-color",
        "--timestamps",
        f"--tail={lines}",
        *(("--follow",) if follow else ()),
        *((f"--since={since}",) if since else ()),
        *((service,) if service else ()),
    )


def known_service(doors: Doors, release: Release, service: str, *, stands: bool = True) -> str:
    """``service``, or an error that lists those there are.

    Args:
        doors: to the host, which is asked for the release's Compose file where that has to tell.
        release: the live one.
        service: its name; empty for all.
        stands: whether it has to be one that runs all the time.

    Raises:
        ConfigError: the release has no such service, or it does not stand.
        DeployError: its Compose file, which has to tell, is lost.
    """
    if not service or service in release.hashes:
        return service
    jobs = [name for name in _all_services(doors, release) if name not in release.hashes]
    if service not in jobs:
        known = release.hashes if stands else (*release.hashes, *jobs)
        raise ConfigError(
            f"there is no service {service}",
            hint=f"the services are {', '.join(sorted(known))}",
            stage="config",
        )
    if stands:
        raise ConfigError(
            f"{service} does not stand: it has a profile, and is started for a single run only",
            hint=f"./inv run --service {service} -- ARGUMENTS; those that stand are "
            f"{', '.join(sorted(release.hashes))}",
            stage="config",
        )
    return service


def _place(live: Release) -> str:
    """Where TrueNAS shows an application's containers."""
    return f"Apps > {live.application} > Workloads"


def _all_services(doors: Doors, release: Release) -> tuple[str, ...]:
    return tuple(json.loads(compose_of(doors, release))["services"])


def logs(doors: Doors, service: str, *, follow: bool, lines: int, since: str) -> int:
    """Show what services wrote; returns Compose's exit code."""
    arguments = logs_arguments(service, follow=follow, lines=lines, since=since)
    live = live_release(doors)
    known_service(doors, live, service)
    if doors.only:
        return doors.host.interact(_asked_logs(doors, live, service, follow, lines, since))
    return doors.host.interact(doors.engine.compose_argv(doors.compose_file(live.id), arguments))


def _asked_logs(
    doors: Doors, live: Release, service: str, follow: bool, lines: int, since: str
) -> tuple[str, ...]:
    """The command that has TrueNAS tell what containers write.

    Raises:
        DeployError: none of them runs, or only Docker could choose like that.
    """
    shown = f"TrueNAS shows them as well: {_place(live)} > Logs"
    if since:
        need_docker(doors, "logs since a moment", f"./inv logs --number 1000; {shown}")
    there = [one for one in doors.engine.containers() if service in ("", one.service)]
    if not there:
        what = f"{service} has no container" if service else "the stack has no containers"
        raise DeployError(f"{what} on {doors.host.name}", hint="./inv status", stage="read")
    named = (f"{one.service}={one.id}" for one in there)
    program = Path(applogs.__file__).read_text("utf-8")
    how = "follow" if follow else "once"
    return ("python3", "-c", program, live.application, str(max(1, lines)), how, *named)


def execute(doors: Doors, service: str, command: Sequence[str]) -> int:
    """Run a command in a running container, with this terminal; returns its exit code.

    Raises:
        ConfigError: no command, or no such service.
    """
    if not command:
        raise ConfigError(
            "there is no command to run",
            hint=f"./inv exec {service} -- COMMAND",
            stage="config",
        )
    live = live_release(doors)
    hint = f"TrueNAS has a shell in each container: {_place(live)} > Shell"
    need_docker(doors, "a command in a container", hint)
    arguments = ("exec", known_service(doors, live, service), *command)
    return doors.host.interact(doors.engine.compose_argv(doors.compose_file(live.id), arguments))


def run_once(doors: Doors, service: str, command: Sequence[str]) -> int:
    """Run a command in a new container of a service, removed afterwards; its exit code.

    Raises:
        ConfigError: there is no such service.
    """
    live = live_release(doors)
    known_service(doors, live, service, stands=False)
    hint = f"in the shell of a container that runs: {_place(live)} > Shell"
    need_docker(doors, "a command in a new container", hint)
    arguments = ("run", "--rm", "--no-deps", service, *command)
    return doors.host.interact(doors.engine.compose_argv(doors.compose_file(live.id), arguments))
