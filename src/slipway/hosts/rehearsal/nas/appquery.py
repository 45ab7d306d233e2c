"""``app.query`` and what else only asks for apps.

Source: ``plugins/apps/{crud,resources,rollback,pull_images}.py`` of the middleware.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from . import docker, filters
from .appfiles import AppFiles
from .appstates import PREFIX, STOPPED, Resources, app_of, entry
from .checks import FILTERS, OPTIONS, Field
from .engine import Engine
from .errors import InstanceNotFound
from .middleware import Call, Method
from .releases import Release

Table = dict[str, Any]
READ = "APPS_READ"
NAME = Field("app_name", least=1)
_ALIVE = Field("options", "table", {}, (Field("alive_only", "bool", True),),
               model="AppContainerIDOptions")  # fmt: skip


def methods(release: Release) -> list[Method]:
    """The methods of this part."""
    found = [
        Method("app.query", _query, (FILTERS, OPTIONS), READ),
        Method("app.get_instance", _get_instance, (Field("id"), OPTIONS), READ),
        Method("app.config", _config, (NAME,), READ),
        Method("app.container_ids", _container_ids, (NAME, _ALIVE), READ),
        Method("app.container_console_choices", _console, (NAME,), READ),
        Method("app.used_ports", _used_ports, role=READ),
        Method("app.outdated_docker_images", _outdated, (NAME,), READ),
        Method("app.rollback_versions", _rollback_versions, (NAME,), READ),
        Method("app.image.query", _images, (FILTERS, OPTIONS), READ),
    ]
    if release.host_ips:
        found.append(Method("app.used_host_ips", _used_host_ips, role=READ))
    return found


def rows(call: Call, app: str = "", *, config: bool = False) -> list[Table]:
    """All apps' entries; of Docker's projects only one's is looked at when an app is named.

    Raises:
        KeyError: a container has no service's name (before 26).
    """
    settings = call.middleware.settings
    files, release = AppFiles(settings), settings.release
    known = files.metadata()
    projects = Engine(settings).projects(f"{PREFIX}{app}" if app else "")
    running: dict[str, Resources] = {app_of(name): found for name, found in projects.items()}
    found = [
        entry(name, there, known[name], release) for name, there in running.items() if name in known
    ]
    if not (app and app in running):
        names = [name for name in files.names() if name not in running and name in known]
        found += [entry(name, None, known[name], release) for name in names]
    if config:
        found = [row | {"config": files.config(row["name"])} for row in found]
    return found


def instance(call: Call, app: str) -> Table:
    """One app's entry.

    Raises:
        InstanceNotFound: there is none of this name.
    """
    found: list[Table] = _query(call, [["id", "=", app]], {})
    if not found:
        raise InstanceNotFound(f"App {app} does not exist")
    return found[0]


def _query(call: Call, wanted: list[Any], options: Table) -> Any:
    if docker.why_not(call) is not None:
        return filters.query([], wanted, options)
    one = wanted[0] if len(wanted) == 1 and len(wanted[0]) == 3 else ["", "", ""]
    app = one[2] if one[0] in ("id", "name") and one[1] == "=" else ""
    config = options.get("extra", {}).get("retrieve_config", False)
    return filters.query(rows(call, app, config=config), wanted, options)


def _get_instance(call: Call, app: str, options: Table) -> Table:
    found: list[Table] = _query(call, [["id", "=", app]], options)
    if not found:
        raise InstanceNotFound(f"App {app} does not exist")
    return found[0]


def _config(call: Call, app: str) -> Table:
    instance(call, app)
    return AppFiles(call.middleware.settings).config(app)


def _container_ids(call: Call, app: str, options: Table) -> dict[str, Table]:
    keys = ("service_name", "image", "state", "id")
    return {
        one["id"]: {key: one[key] for key in keys}
        for one in instance(call, app)["active_workloads"]["container_details"]
        if not options["alive_only"] or one["state"] == "running"
    }


def _console(call: Call, app: str) -> dict[str, Table]:
    return _container_ids(call, app, {"alive_only": True})


def _used_ports(call: Call) -> list[int]:
    return sorted(
        {
            host["host_port"]
            for row in _query(call, [], {})
            for port in row["active_workloads"]["used_ports"]
            for host in port["host_ports"]
        }
    )


def _used_host_ips(call: Call) -> dict[str, list[str]]:
    found = defaultdict(list)
    for row in _query(call, [], {}):
        for address in row["active_workloads"]["used_host_ips"]:
            found[address].append(row["name"])
    return dict(found)


def _outdated(call: Call, app: str) -> list[str]:
    instance(call, app)
    return []


def _rollback_versions(call: Call, app: str) -> list[str]:
    instance(call, app)
    return []


def _images(call: Call, wanted: list[Any], options: Table) -> Any:
    if docker.why_not(call) is not None:
        return filters.query([], wanted, options)
    found = [_image(image) for image in Engine(call.middleware.settings).images()]
    return filters.query(found, wanted, options)


def image(call: Call, number: str) -> Table | None:
    """An image's entry; None when there is none of this id."""
    found = _images(call, [["id", "=", number]], {})
    return dict(found[0]) if found else None


def _image(image: Table) -> Table:
    tags = image.get("RepoTags") or []
    return {
        "id": image["Id"],
        "repo_tags": tags,
        "repo_digests": image.get("RepoDigests") or [],
        "size": image["Size"],
        "dangling": tags == ["<none>:<none>"],
        "update_available": False,
        "created": image.get("Created"),
        "author": image.get("Author", ""),
        "comment": image.get("Comment", ""),
    }


__all__ = ["NAME", "READ", "STOPPED", "image", "instance", "methods", "rows"]
