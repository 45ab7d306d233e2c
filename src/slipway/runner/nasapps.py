"""What TrueNAS tells of an app's containers, as containers. Pure.

Source: ``plugins/apps/ix_apps/query.py`` of the middleware. Less is told than Docker would: no
labels, no exit code, no number of restarts. One that is unhealthy is ``starting`` for ever; one
that ends again and again is ``exited``, as is one that ended well; here it is ``ended``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from slipway.runner.containers import ENDED, Container

#: An exit code that is not told, of a container that did not end well.
UNTOLD = -1

_STATES = {
    "running": ("running", "", 0),
    "starting": ("running", "starting", 0),
    "created": ("created", "", 0),
    "exited": (ENDED, "", 0),
    "crashed": ("exited", "", UNTOLD),
}


def app_of(rows: Iterable[Mapping[str, Any]], app: str) -> Mapping[str, Any] | None:
    """An app's entry among those of ``app.query``; None where it isn't there."""
    return next((row for row in rows if row.get("name") == app), None)


def containers_of(row: Mapping[str, Any] | None) -> tuple[Container, ...]:
    """The containers of an entry of ``app.query``; none where there is no such app.

    Returns:
        Sorted by service and id; ``image_id`` is the reference that each was made by.

    Raises:
        ValueError, KeyError, TypeError: it is none of the releases that are known.
    """
    if row is None:
        return ()
    found = [_container(one) for one in row["active_workloads"]["container_details"]]
    return tuple(sorted(found, key=lambda one: (one.service, one.id)))


def _container(detail: Mapping[str, Any]) -> Container:
    service, identity = str(detail["service_name"]), str(detail["id"])
    state, health, code = _STATES[detail["state"]]
    return Container(
        service=service,
        id=identity,
        name=f"{service}-{identity[:12]}",
        image_id=str(detail["image"]),
        state=state,
        health=health,
        exit_code=code,
        ports=_ports(detail.get("port_config") or ()),
    )


def _ports(config: Iterable[Mapping[str, Any]]) -> tuple[int, ...]:
    hosts = (host for one in config if one["protocol"] == "tcp" for host in one["host_ports"])
    return tuple(sorted({int(host["host_port"]) for host in hosts} - {0}))


def images_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Every reference, by tag and by digest, to the id of its image; of ``app.image.query``."""
    return {
        str(reference): str(row["id"])
        for row in rows
        for reference in (*(row.get("repo_tags") or ()), *(row.get("repo_digests") or ()))
    }
