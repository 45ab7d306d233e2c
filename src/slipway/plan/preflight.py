"""Could this deploy work on this host? All problems at once, before anything is changed. Pure.

A deploy is refused by the same findings that ``host.doctor`` tells of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slipway.architecture import AMD64
from slipway.errors import DeployError
from slipway.hosts.facts import Facts
from slipway.hosts.inspect import APPS, version_numbers
from slipway.hosts.roles import lacking
from slipway.hosts.table import TABLE
from slipway.plan.counts import FEWER, too_much
from slipway.plan.draft import Draft
from slipway.plan.finding import Finding
from slipway.plan.needs import Needs, no_way_back, way_out
from slipway.plan.registering import included
from slipway.report import human_bytes

_OLDEST_DOCKER = (20, 10)
_OLDEST_COMPOSE = (2, 20)
_DISK_FACTOR = 2.0
_SPARE_BYTES = 100_000_000
_APP_DIR_BYTES = 20_000_000
_WRITABLE = f"set sudo = true in {TABLE}, or give the folder to that user"
_OWNED = "give the folder, and what slipway keeps in it, to that user (docs/guides/app-only.md)"


def check_way_back(host: str, draft: Draft) -> None:
    """Refuse what could not be undone.

    Raises:
        DeployError: nothing was changed.
    """
    if why := no_way_back(draft):
        raise DeployError(
            f"{host} can't take this: {why}; nothing was changed",
            stage="preflight",
            hint=way_out(draft),
        )


def findings(
    facts: Facts, needs: Needs, holders: Mapping[int, str] | None = None
) -> tuple[Finding, ...]:
    """Every reason for which the deploy can't work.

    Args:
        facts: what the host is like.
        needs: what the deploy needs of it.
        holders: TCP port to who has it, where that is known.
    """
    return (
        *_versions(facts),
        *_room(facts, needs),
        *_ports(facts, needs, holders or {}),
        *_others(facts, needs),
    )


def _versions(facts: Facts) -> Iterator[Finding]:
    if facts.docker and version_numbers(facts.docker) < _OLDEST_DOCKER:
        yield Finding(
            "docker-old",
            f"Docker {facts.docker} is too old; 20.10 is the oldest that works",
            "older ones lack what containers are asked for and made with",
            "bring Docker up to date there (TrueNAS: System > Update)",
        )
    if facts.compose and version_numbers(facts.compose) < _OLDEST_COMPOSE:
        yield Finding(
            "compose-old",
            f"Docker Compose {facts.compose} is too old; 2.20 is the oldest that works",
            "older ones read the stack's file otherwise, or not at all",
            "install Compose 2.20 or newer there (Debian: apt-get install docker-compose)",
        )
    if facts.architecture not in (AMD64.machine, AMD64.debian):
        yield Finding(
            "processor",
            f"its processor is {facts.architecture}; the images are for {AMD64.machine}",
            "no program of the images runs there",
            "deploy to a host with an x86-64 processor",
        )


def _room(facts: Facts, needs: Needs) -> Iterator[Finding]:
    needed = int(needs.bytes_to_send * _DISK_FACTOR) + _SPARE_BYTES
    if needs.bytes_to_send and facts.docker_free < needed:
        yield Finding(
            "docker-space",
            f"{human_bytes(facts.docker_free)} are free for images; "
            f"{human_bytes(needed)} are needed",
            f"images, and what containers write, lie in {facts.root}",
            "remove what nobody uses there: docker system prune; or make the pool larger",
        )
    if facts.app_free < _APP_DIR_BYTES:
        yield Finding(
            "app-space",
            f"{human_bytes(facts.app_free)} are free at {needs.app_dir}; "
            f"{human_bytes(_APP_DIR_BYTES)} are needed",
            "releases, secrets and data lie there",
            f"make room on the disk or the dataset of {needs.app_dir}, or raise its quota",
        )
    if not facts.writable:
        yield Finding(
            "app-dir",
            f"{needs.app_dir} can't be written by the login user",
            "releases, secrets and data lie there",
            _WRITABLE if not needs.roles else _OWNED,
        )


def _ports(facts: Facts, needs: Needs, holders: Mapping[int, str]) -> Iterator[Finding]:
    for port in sorted(needs.ports & facts.listening - needs.own_ports):
        yield Finding(
            "port-taken",
            f"port {port} is in use by {holders.get(port, 'another program')}",
            "the stack could not be reached there, so Docker would not start it",
            "end that program, or give the stack another port in the host's `variables`",
        )


def _others(facts: Facts, needs: Needs) -> Iterator[Finding]:
    ours = (f"{needs.app_dir}/", *((f"{APPS}/{needs.app}/",) if needs.app else ()))
    elsewhere = [file for file in needs.made_from if not file.startswith(ours)]
    if elsewhere:
        yield Finding(
            "deployed-elsewhere",
            f"the application runs there already, deployed from {min(elsewhere)}, not from "
            f"{needs.app_dir}: take that one down first, or set app_dir to its folder",
            "two of them would take each other's containers away",
            "set app_dir of this host to that folder, or take that one down: ./inv down",
        )
    for name in needs.new_volumes:
        if name in facts.volumes:
            yield Finding(
                "volume-changed",
                f"the volume {name} exists with another definition, and Docker can't change it "
                "without deleting its data: save the data and remove the volume, or give the new "
                "one another name",
                "its data would be lost",
                f"save its data, then: docker volume rm {name}",
            )
    if needs.way_back:
        yield Finding(
            "no-way-back",
            needs.way_back,
            "a deploy that fails could not be undone",
            needs.way_out,
        )
    for name in needs.foreign:
        yield Finding(
            "network-foreign",
            f"the network {name} is there already, and was not made for this application: remove "
            f"it (docker network rm {name}), or give the stack's one another name",
            "Compose would not start the stack in a network that it did not make",
            f"docker network rm {name}",
        )
    if needs.app and not facts.nas:
        yield Finding(
            "no-truenas",
            "it is no TrueNAS, which this `mode` is for",
            "there is nobody who could be told of the app",
            f"leave `mode` out of {TABLE}",
        )
    if needs.included not in ("", included(needs.app_dir)):
        yield Finding(
            "app-foreign",
            f"TrueNAS has an app {needs.app} already, which slipway did not make from here",
            "its containers and these would be taken for each other",
            "delete that app on the Apps page, or give this application another name",
        )
    missing = () if facts.roles is None else lacking(needs.roles, facts.roles)
    if missing:
        yield Finding(
            "truenas-roles",
            f"the login user lacks {'the roles' if missing[1:] else 'the role'} "
            f"{', '.join(missing)} in TrueNAS",
            "by them, and by no right to Docker, the application is deployed there",
            "TrueNAS: Credentials > Groups > Privileges: add them to the privilege of a group that "
            "the user is in",
        )
    if needs.numbers and (why := too_much("the host", facts, *needs.numbers)):
        yield Finding("memory", why, "the kernel would end what takes too much", FEWER)


def unconfined(host: str, facts: Facts) -> tuple[str, ...]:
    """What Docker's own profiles do not keep from containers on this host, a sentence each.

    The stack asks for no profile of its own: Docker applies its default ones where the host's
    kernel knows them (https://docs.docker.com/engine/security/seccomp/, …/apparmor/).
    """
    if facts.confined is None:
        return ()
    found = []
    if "seccomp" not in facts.confined:
        found.append(
            f"Docker on {host} does not filter containers' system calls: its seccomp profile is "
            "off, or the kernel has none"
        )
    if not facts.confined & {"apparmor", "selinux"}:
        found.append(
            f"Docker on {host} confines containers by neither AppArmor nor SELinux; what else "
            "holds them is in docs/reference/privileges.md"
        )
    return tuple(found)


def check(host: str, facts: Facts, needs: Needs) -> None:
    """Refuse a deploy that can't work.

    Raises:
        DeployError: with every reason; nothing was changed.
    """
    found = findings(facts, needs)
    if found:
        raise DeployError(
            f"{host} can't take this deploy: {found[0].what}"
            + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
            + "; nothing was changed",
            details=[one.what for one in found],
            stage="preflight",
            hint=found[0].hint
            if len(found) == 1
            else f"./inv host.doctor --host {host} says how to mend each; then deploy again",
        )
