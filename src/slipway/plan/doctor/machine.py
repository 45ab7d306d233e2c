"""What of the machine may be in the way: its clock, its names, its room, what others made there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from slipway.hosts.checkup import Checkup
from slipway.hosts.facts import Facts
from slipway.plan.counts import demand
from slipway.plan.finding import Finding
from slipway.report import human_bytes
from slipway.stack.limits import limits
from slipway.stack.model import Stack
from slipway.stack.project import ONLY

_SKEW_S = 60.0
_SLIGHT_SKEW_S = 5.0
#: Each image has a few thousand files; a release of ours, its data left aside, has a hundred.
_DOCKER_INODES = 50_000
_APP_INODES = 2_000


def machine_findings(checkup: Checkup, app_dir: str) -> Iterator[Finding]:
    """What was seen of a machine, whether its Docker answers or not.

    Args:
        checkup: what was seen.
        app_dir: the application's folder there.
    """
    ahead = abs(checkup.skew)
    if ahead > _SLIGHT_SKEW_S:
        yield Finding(
            "clock",
            f"its clock is {ahead:.0f} s {'ahead of' if checkup.skew > 0 else 'behind'} this "
            "machine's",
            "certificates, tokens and leases are judged by the time of day",
            "set the clock there and here by NTP (TrueNAS: System > General Settings > NTP; "
            "others: timedatectl set-ntp true)",
            "error" if ahead > _SKEW_S else "warning",
        )
    if checkup.silent is not None:
        servers = ", ".join(checkup.silent)
        yield Finding(
            "dns",
            f"none of its name servers answers ({servers})" if servers else "it has no name server",
            "what asks the internet does not get there: Gemini, Let's Encrypt, updates",
            "look at /etc/resolv.conf there (TrueNAS: Network > Global Configuration > DNS)",
            "warning",
        )
    if checkup.app_inodes is not None and checkup.app_inodes < _APP_INODES:
        yield Finding(
            "app-inodes",
            f"only {checkup.app_inodes} more files can be made at {app_dir}",
            "releases, secrets and data lie there",
            f"remove files on the disk or the dataset of {app_dir}, or make it larger",
        )
    if checkup.docker_inodes is not None and checkup.docker_inodes < _DOCKER_INODES:
        yield Finding(
            "docker-inodes",
            f"only {checkup.docker_inodes} more files can be made where Docker keeps images",
            "each image has thousands of them",
            "remove what nobody uses there: docker system prune; or make the disk larger",
        )


def names_taken(checkup: Checkup, stack: Stack) -> Iterator[Finding]:
    """Containers and volumes of others that have the names of the stack's own."""
    own = stack.project
    services = "|".join(re.escape(name) for name in stack.services)
    named = re.compile(rf"{re.escape(own)}-(?:{services})-[0-9]+\Z")
    for name, project in sorted(checkup.containers.items()):
        if project != own and named.match(name):
            yield Finding(
                "container-foreign",
                f"the container {name} is there already, and was not made for this application",
                "Docker refuses a second container of that name",
                f"docker container rm {name}, or give it another name: docker rename {name} NAME",
            )
    for name, body in (stack.document.get("volumes") or {}).items():
        called = str((body or {}).get("name") or f"{own}_{name}")
        project = checkup.volumes.get(called, own)
        if project != own and not (body or {}).get("external"):
            yield Finding(
                "volume-foreign",
                f"the volume {called} is there already, and was not made for this application",
                "the stack would go on with somebody else's data",
                f"give the stack's volume another name, or docker volume rm {called}",
                "warning",
            )


def resources(facts: Facts, stack: Stack) -> Iterator[Finding]:
    """Whether the machine has what the containers may take, and what makes transfers small."""
    memory, _ = demand(stack)
    if facts.memory and memory > facts.memory:
        yield Finding(
            "memory-limits",
            f"the containers may take {human_bytes(memory)} of memory by their limits, and the "
            f"host has {human_bytes(facts.memory)}",
            "when all of them take that, the kernel ends some",
            "fewer containers, or lower limits in the Compose files",
            "warning",
        )
    for name in stack.standing:
        wanted = limits(stack.services[name]).processors
        if facts.processors and wanted > facts.processors:
            yield Finding(
                "processors-limit",
                f"{name} may take {wanted:g} processors by its limit, and the host has "
                f"{facts.processors}",
                "Docker refuses to start a container with a limit that can't be",
                f"lower `cpus` of {name} in the Compose files or their variables",
            )
    if facts.zstd == (0, 0) and stack.mode != ONLY:  # nothing is sent there
        yield Finding(
            "zstd-missing",
            "it has no program zstd",
            "a deploy sends whole layers instead of the difference to the release before, which "
            "takes longer",
            "install zstd there; on a TrueNAS it stays as it is",
            "warning",
        )
