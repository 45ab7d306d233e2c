"""Could this deploy work on this host? All problems at once, before anything is changed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.architecture import AMD64
from slipway.errors import DeployError
from slipway.hosts.facts import Facts
from slipway.hosts.inspect import APPS, version_numbers
from slipway.ledger.layout import CURRENT, release_folder
from slipway.plan.counts import grown, too_much, until_now
from slipway.plan.draft import Draft
from slipway.plan.registering import included
from slipway.report import human_bytes
from slipway.stack.model import Stack
from slipway.stack.ports import published_ports
from slipway.stack.shape import network_name

_OLDEST_DOCKER = (20, 10)
_OLDEST_COMPOSE = (2, 20)
_DISK_FACTOR = 2.0
_SPARE_BYTES = 100_000_000
_APP_DIR_BYTES = 20_000_000
_MEND = "mend this on the host, then deploy again"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a deploy needs.

    Attributes:
        bytes_to_send: image bytes.
        ports: TCP ports it publishes.
        app_dir: the application's folder.
        own_ports: TCP ports that this application's running containers publish.
        made_from: Compose files that its containers were made from.
        new_volumes: Docker's names of volumes whose definition changed, which can only be made
            anew.
        way_back: why there would be none; empty when there is one.
        way_out: what to do then.
        foreign: Docker's names of networks that the stack makes and somebody else has made.
        numbers: the stack with the numbers of containers there are, and with those that are
            wanted, where these are more.
        app: the app of TrueNAS' that it is to be; empty for none.
        included: what there is by that name includes; empty when there is none.
    """

    bytes_to_send: int
    ports: frozenset[int]
    app_dir: str
    own_ports: frozenset[int] = frozenset()
    made_from: frozenset[str] = frozenset()
    new_volumes: tuple[str, ...] = ()
    way_back: str = ""
    way_out: str = ""
    foreign: tuple[str, ...] = ()
    numbers: tuple[Stack, Stack] | None = None
    app: str = ""
    included: str = ""


def needs(draft: Draft) -> Needs:
    """What a draft needs of its host."""
    wanted, containers = draft.wanted, draft.seen.engine.containers
    volumes = wanted.stack.document.get("volumes") or {}
    return Needs(
        bytes_to_send=draft.plan.bytes_to_send,
        ports=frozenset(published_ports(wanted.stack.services, wanted.stack.standing)),
        app_dir=wanted.app_dir,
        own_ports=frozenset(
            port for one in containers if one.state == "running" for port in one.ports
        ),
        made_from=frozenset(one.file for one in containers if one.file),
        new_volumes=tuple(
            (volumes[one.name] or {}).get("name", one.name)
            for one in draft.plan.definitions
            if one.kind == "volume"
        ),
        way_back=no_way_back(draft),
        way_out=way_out(draft),
        foreign=_foreign(draft),
        numbers=numbers(draft),
        app=wanted.stack.application if wanted.stack.mode == "app" else "",
        included=draft.seen.engine.app,
    )


def no_way_back(draft: Draft) -> str:
    """Why what a draft stops first could not be brought back; empty when it could."""
    live, plan = draft.seen.memory.records.live, draft.plan
    if live is None or not plan.one_way:
        return ""
    return (
        f"of the live release {live.id} it has lost {', '.join(map(str, plan.gone))}: "
        f"{', '.join(plan.services('recreate', 'remove'))} could not be brought back"
    )


def way_out(draft: Draft) -> str:
    """What to do when a part of the live release is lost."""
    live = draft.seen.memory.records.live
    if live is None:
        return ""
    folder, kinds = draft.wanted.app_dir, {one.kind for one in draft.plan.gone}
    names = [one.name.split("/")[1] for one in draft.plan.gone if one.kind == "secret"]
    ways = []
    if kinds - {"secret"}:
        commit = f" ({live.commit})" if live.commit else ""
        ways.append(f"deploy its commit{commit}: that writes it anew")
    if names:
        ways.append(f"put the value into {', '.join(f'deploy/secrets/{one}' for one in names)}")
    last = "./inv down"
    if "compose" in kinds:
        last = f"remove {folder}/{CURRENT} and {folder}/{release_folder(live.id)}"
    return "; ".join((*ways, f"or, without a way back: {last}, then ./inv deploy"))


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


def _foreign(draft: Draft) -> tuple[str, ...]:
    document = draft.wanted.stack.document
    wanted = {
        network_name(document, name)
        for name in draft.release.networks
        if not ((document.get("networks") or {}).get(name) or {}).get("external")
    }
    there = draft.seen.engine.networks or ()
    ours = draft.release.project
    return tuple(one.name for one in there if one.name in wanted and one.project != ours)


def numbers(draft: Draft) -> tuple[Stack, Stack] | None:
    """The stack with the numbers of containers there are, and with those that are wanted.

    Returns:
        None when there are not to be more of any service.
    """
    after = draft.wanted.stack
    before = until_now(after, draft.seen.memory)
    return (before, after) if grown(before, after) else None


def problems(facts: Facts, needs: Needs) -> tuple[str, ...]:
    """Every reason for which the deploy can't work, a sentence each."""
    found = []
    if version_numbers(facts.docker) < _OLDEST_DOCKER:
        found.append(f"Docker {facts.docker} is too old; 20.10 is the oldest that works")
    if version_numbers(facts.compose) < _OLDEST_COMPOSE:
        found.append(f"Docker Compose {facts.compose} is too old; 2.20 is the oldest that works")
    if facts.architecture not in (AMD64.machine, AMD64.debian):
        found.append(f"its processor is {facts.architecture}; the images are for {AMD64.machine}")
    needed = int(needs.bytes_to_send * _DISK_FACTOR)
    if needs.bytes_to_send and facts.docker_free < needed + _SPARE_BYTES:
        found.append(
            f"{human_bytes(facts.docker_free)} are free for images; "
            f"{human_bytes(needed + _SPARE_BYTES)} are needed"
        )
    if facts.app_free < _APP_DIR_BYTES:
        found.append(
            f"{human_bytes(facts.app_free)} are free at {needs.app_dir}; "
            f"{human_bytes(_APP_DIR_BYTES)} are needed"
        )
    if not facts.writable:
        found.append(f"{needs.app_dir} can't be written by the login user")
    for port in sorted(needs.ports & facts.listening - needs.own_ports):
        found.append(f"port {port} is in use by another program")
    ours = (f"{needs.app_dir}/", *((f"{APPS}/{needs.app}/",) if needs.app else ()))
    elsewhere = [file for file in needs.made_from if not file.startswith(ours)]
    if elsewhere:
        found.append(
            f"the application runs there already, deployed from {min(elsewhere)}, not from "
            f"{needs.app_dir}: take that one down first, or set app_dir to its folder"
        )
    for name in needs.new_volumes:
        if name in facts.volumes:
            found.append(
                f"the volume {name} exists with another definition, and Docker can't change it "
                "without deleting its data: save the data and remove the volume, or give the new "
                "one another name"
            )
    if needs.way_back:
        found.append(needs.way_back)
    for name in needs.foreign:
        found.append(
            f"the network {name} is there already, and was not made for this application: remove "
            f"it (docker network rm {name}), or give the stack's one another name"
        )
    if needs.app and not facts.nas:
        found.append('it is no TrueNAS, which mode = "app" is for: leave `mode` out')
    if needs.included not in ("", included(needs.app_dir)):
        found.append(
            f"TrueNAS has an app {needs.app} of another make already: delete or rename that one"
        )
    if needs.numbers and (why := too_much("the host", facts, *needs.numbers)):
        found.append(why)
    return tuple(found)


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
    found = problems(facts, needs)
    if found:
        raise DeployError(
            f"{host} can't take this deploy: {found[0]}"
            + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
            + "; nothing was changed",
            details=found,
            stage="preflight",
            hint=needs.way_out if found == (needs.way_back,) else _MEND,
        )
