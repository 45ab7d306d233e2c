"""What the middleware makes of Docker's answers: states of containers and apps. Pure.

Source: ``plugins/apps/ix_apps/query.py`` of the middleware.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .releases import Release

Table = dict[str, Any]

SERVICE = "com.docker.compose.service"
PROJECT = "com.docker.compose.project"
PREFIX = "ix-"
STOPPED, STOPPING, RUNNING = "STOPPED", "STOPPING", "RUNNING"
DEPLOYING, CRASHED = "DEPLOYING", "CRASHED"


@dataclass
class Resources:
    """What Docker has of a Compose project, as ``docker inspect`` tells it."""

    containers: list[Table] = field(default_factory=list)
    networks: list[Table] = field(default_factory=list)


def app_of(project: str) -> str:
    """The app that a project is taken for: three characters are cut, whatever they are."""
    return project[len(PREFIX) :]


def container_state(state: Table) -> str:
    """A container's state, from ``State`` of its inspection.

    A container that is unhealthy counts as starting, one that crashes again and again as exited.
    """
    status = str(state["Status"])
    if status.lower() == "running":
        health = state.get("Health")
        return "running" if not health or health["Status"] == "healthy" else "starting"
    if status.lower() == "created":
        return "created"
    return "crashed" if status == "exited" and state["ExitCode"] != 0 else "exited"


def app_state(states: list[str]) -> str:
    """An app's state, from those of its containers."""
    count = Counter(states)
    if count["crashed"]:
        return CRASHED
    if count["created"] or count["starting"]:
        return DEPLOYING
    if count["running"] and count["running"] + count["exited"] == len(states):
        return RUNNING
    return STOPPED


def no_workloads(release: Release) -> Table:
    """``active_workloads`` of an app that is stopped."""
    nothing: Table = {"containers": 0, "used_ports": []}
    if release.host_ips:
        nothing["used_host_ips"] = []
    nothing |= {"container_details": [], "volumes": [], "images": []}
    if release.networks:
        nothing["networks"] = []
    return nothing


def workloads(found: Resources, release: Release) -> Table:
    """``active_workloads`` of an app.

    Raises:
        KeyError: a container has no service's name (before 26).
    """
    details = [_detail(container, release) for container in found.containers]
    ports = [port for detail in details for port in detail["port_config"]]
    told = no_workloads(release) | {
        "containers": len(details),
        "used_ports": ports,
        "container_details": details,
        "volumes": _once([one for detail in details for one in detail["volume_mounts"]]),
        "images": sorted({detail["image"] for detail in details}),
    }
    if release.networks:
        told["networks"] = found.networks
    if release.host_ips:
        hosts = {host["host_ip"] for port in ports for host in port["host_ports"]}
        told["used_host_ips"] = sorted(hosts - {""})
    return told


def _detail(container: Table, release: Release) -> Table:
    ports = container.get("NetworkSettings", {}).get("Ports") or {}
    return {
        "service_name": _service(container, release),
        "image": container["Config"]["Image"],
        "port_config": [_port(name, hosts) for name, hosts in ports.items() if hosts],
        "state": container_state(container["State"]),
        "volume_mounts": [_mount(mount) for mount in container.get("Mounts", [])],
        "id": container["Id"],
    }


def _service(container: Table, release: Release) -> str:
    labels = container["Config"]["Labels"]
    if not release.unlabelled:
        return str(labels[SERVICE])
    return labels.get(SERVICE) or str(container.get("Name", "")).lstrip("/") or "unknown"


def _port(name: str, hosts: list[Table]) -> Table:
    number, _, protocol = name.partition("/")
    bound = [host for host in hosts if str(host.get("HostPort", "")).isdigit()]
    return {
        "container_port": int(number),
        "protocol": protocol,
        "host_ports": [
            {"host_port": int(host["HostPort"]), "host_ip": host["HostIp"]} for host in bound
        ],
    }


def _mount(mount: Table) -> Table:
    return {
        "source": mount["Source"],
        "destination": mount["Destination"],
        "mode": mount["Mode"],
        "type": "bind" if mount["Type"] == "bind" else "volume",
    }


def _once(mounts: list[Table]) -> list[Table]:
    seen = {(mount["source"], mount["destination"], mount["type"]): mount for mount in mounts}
    return list(seen.values())


def entry(name: str, found: Resources | None, metadata: Table, release: Release) -> Table:
    """An app's entry in ``app.query``, without its configuration.

    Args:
        name: the app.
        found: what Docker has of it; None for nothing.
        metadata: what the middleware keeps of it.
        release: which TrueNAS.
    """
    told = workloads(found, release) if found is not None else no_workloads(release)
    state = app_state([detail["state"] for detail in told["container_details"]])
    row = {
        "name": name,
        "id": name,
        "active_workloads": no_workloads(release) if state == STOPPED else told,
        "state": state,
        "upgrade_available": False,
        "latest_version": None,
        "image_updates_available": False,
    }
    if release.action_required:
        row |= {"action_required": False, "latest_app_version": None}
    row |= metadata
    if release.strict:
        row |= {"version_details": None, "config": None}
    return row
