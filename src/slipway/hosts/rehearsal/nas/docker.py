"""``docker.status``, ``docker.config`` and ``docker.update``.

Source: ``plugins/docker/{update,state_management,state_utils,migrate}.py`` of the middleware.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from .checks import LEFT_OUT, Field
from .copies import HIDDEN
from .engine import Engine
from .errors import CallError, ValidationErrors
from .middleware import Call, JobKind, Method, Middleware
from .releases import Release
from .settings import Settings
from .store import APPS, Store

Table = dict[str, Any]
UNCONFIGURED, FAILED, RUNNING, MIGRATING = "UNCONFIGURED", "FAILED", "RUNNING", "MIGRATING"
DESCRIPTIONS = {
    "PENDING": "Application(s) state is to be determined yet",
    "RUNNING": "Application(s) are currently running",
    "INITIALIZING": "Application(s) are being initialized",
    "STOPPING": "Application(s) are being stopped",
    "STOPPED": "Application(s) have been stopped",
    "UNCONFIGURED": "Application(s) are not configured",
    "FAILED": "Application(s) have failed to start",
    "MIGRATING": "Application(s) are being migrated",
    "MIGRATION_FAILED": "Application(s) failed to migrate to new pool",
}
DATASETS = ("", "/truenas_catalog", "/app_configs", "/app_mounts", "/docker")
_POOL = "tank"  # where apps are until somebody says otherwise
_MOVED = ("app_configs", "app_mounts", "backups", "metadata.yaml", "user_config.yaml")


def methods(release: Release) -> list[Method]:
    """The methods of this part."""
    update = Field("docker_update", "table", fields=_update_fields(release), model="DockerUpdate")
    return [
        Method("docker.status", _status, role="DOCKER_READ"),
        Method("docker.config", config_of, role="DOCKER_READ"),
        Method("docker.nvidia_present", lambda call: False, role="DOCKER_READ"),
        Method("docker.update", _update, (update,), "DOCKER_WRITE",
               JobKind(lambda given: "docker_update")),
    ]  # fmt: skip


def _update_fields(release: Release) -> tuple[Field, ...]:
    fields = [
        Field("enable_image_updates", "bool", LEFT_OUT),
        Field("pool", "str", LEFT_OUT, null=True, least=1),
        Field("nvidia", "bool", LEFT_OUT),
        Field("address_pools", "list", LEFT_OUT),
    ]
    fields += [Field("cidr_v6", "str", LEFT_OUT)] if release.ipv6 else []
    fields += [Field("migrate_applications", "bool", LEFT_OUT)] if release.moves else []
    return (*fields, *(Field(name, "list", LEFT_OUT) for name in _mirrors(release)))


def _mirrors(release: Release) -> tuple[str, ...]:
    two = ("secure_registry_mirrors", "insecure_registry_mirrors")
    return {"two": two, "one": ("registry_mirrors",), "none": ()}[release.mirrors]


def _defaults(release: Release) -> Table:
    pools: list[Table] = [{"base": "172.17.0.0/12", "size": 24}]
    told: Table = {"id": 1, "enable_image_updates": True, "pool": _POOL, "nvidia": False}
    if release.ipv6:
        pools.append({"base": "fdd0::/48", "size": 64})
        told["cidr_v6"] = "fdd0::/64"
    return told | {"address_pools": pools} | {name: [] for name in _mirrors(release)}


def _file(settings: Settings) -> Path:
    return settings.data / "docker.json"


def config(settings: Settings) -> Table:
    """Docker's settings, without the dataset."""
    try:
        kept: Table = json.loads(_file(settings).read_text("utf-8"))
    except FileNotFoundError:
        kept = {}
    return _defaults(settings.release) | kept


def save(settings: Settings, told: Table) -> None:
    """Keep Docker's settings."""
    settings.data.mkdir(parents=True, exist_ok=True)
    _file(settings).write_text(json.dumps(told), "utf-8")


def config_of(call: Call) -> Table:
    """``docker.config``."""
    told = config(call.middleware.settings)
    pool = told["pool"]
    return told | {"dataset": f"{pool}/{APPS}" if pool else None}


def why_not(call: Call) -> str | None:
    """Why apps can't be dealt with; None when they can."""
    settings = call.middleware.settings
    if not config(settings)["pool"]:
        return "No pool configured for Docker"
    told = call.middleware.faults()
    if told.docker_down or told.docker_status not in ("", RUNNING):
        return "Docker service is not running"
    return None if Engine(settings).answers() else "Docker service is not running"


def require(call: Call) -> None:
    """Refuse to go on without Docker.

    Raises:
        CallError: it has no pool, or doesn't run.
    """
    if (why := why_not(call)) is not None:
        raise CallError(why)


def _status(call: Call) -> Table:
    told = call.middleware.faults()
    status = told.docker_status or call.middleware.docker_status
    if not status and not config(call.middleware.settings)["pool"]:
        status = UNCONFIGURED
    elif not status:
        status = FAILED if why_not(call) is not None else RUNNING
    more = f":\n{told.docker_description}" if told.docker_description else ""
    return {"description": DESCRIPTIONS[status] + more, "status": status}


def ensure(settings: Settings, pool: str) -> str:
    """See to it that a pool has the datasets of apps; the name of the first."""
    store, base = Store(settings), f"{pool}/{APPS}"
    known = store.datasets()
    for inner in DATASETS:
        if base + inner not in known:
            store.add(base + inner, {"properties": {}, "user_properties": {}})
    return base


def _update(call: Call, data: Table) -> Table:
    settings = call.middleware.settings
    old = config(settings)
    new = old | {key: value for key, value in data.items() if key != "migrate_applications"}
    moves = bool(data.get("migrate_applications"))
    _check(settings, old, new, moves)
    if moves:
        _migrate(call, old, new)
    elif new["pool"] != old["pool"]:
        _change_pool(call, old, new)
    else:
        save(settings, new)
        if new["address_pools"] != old["address_pools"] and new["pool"]:
            call.progress(95, "Initiating redeployment of applications to apply new address pools "
                          "changes")  # fmt: skip
            redeploy(call, live(call, lambda state: state != "STOPPED"))
    call.progress(100, "Requested configuration applied")
    return config_of(call)


def _check(settings: Settings, old: Table, new: Table, moves: bool) -> None:
    errors = ValidationErrors()
    if new["pool"] and new["pool"] not in Store(settings).pools():
        errors.add("docker_update.pool", "Pool not found.")
    place = "docker_update.migrate_applications"
    if moves and not new["pool"]:
        text = "Value error, Pool is required when migrating applications."
        errors.add("docker_update", text)
    elif moves and new["pool"] == old["pool"]:
        text = "Migration of applications dataset only happens when a new pool is configured."
        errors.add(place, text)
    elif moves and not old["pool"]:
        text = "A pool must have been configured previously for ix-apps dataset migration."
        errors.add(place, text)
    elif moves and f"{new['pool']}/{APPS}" in Store(settings).datasets():
        text = f"Migration of '{old['pool']}/{APPS}' to {new['pool']!r} not possible as "
        errors.add(place, f"{text}{new['pool']}/{APPS} already exists.")
    errors.check()


def live(call: Call, wanted: Any) -> list[str]:
    """The apps whose state is wanted."""
    rows = call.middleware.call("app.query", [], {})
    return [row["name"] for row in rows if wanted(row["state"])]


def redeploy(call: Call, apps: list[str]) -> None:
    """Redeploy apps; one that fails doesn't hold up the others."""
    call.middleware.call("core.bulk", "app.redeploy", [[app] for app in apps])


def _change_pool(call: Call, old: Table, new: Table) -> None:
    """Apps of one pool go out of sight, those of the other come; nothing is started."""
    settings = call.middleware.settings
    if old["pool"] and why_not(call) is None:
        if call.middleware.release.moves:
            call.progress(15, "Stopping Apps")
            apps = live(call, lambda state: state != "STOPPED")
            call.middleware.call("core.bulk", "app.stop", [[app] for app in apps])
        call.progress(20, "Stopping Docker service")
        Engine(settings).wipe()
    if old["pool"]:
        _carry(settings.apps, _aside(settings, old["pool"]))
    save(settings, new)
    call.progress(60, "Applying requested configuration")
    if new["pool"]:
        ensure(settings, new["pool"])
        _carry(_aside(settings, new["pool"]), settings.apps)
        call.middleware.call("app.metadata.generate")


def _aside(settings: Settings, pool: str) -> Path:
    return settings.pools / pool / HIDDEN / APPS


def _carry(source: Path, target: Path) -> None:
    """Move the files of apps; what is in their place goes."""
    target.mkdir(parents=True, exist_ok=True)
    for name in _MOVED:
        if (source / name).exists():
            if (target / name).is_dir():
                shutil.rmtree(target / name)
            shutil.move(source / name, target / name)


def _migrate(call: Call, old: Table, new: Table) -> None:
    middleware, settings = call.middleware, call.middleware.settings
    require(call)
    with status(middleware, MIGRATING):
        call.progress(30, "Creating docker backup")
        apps = live(call, lambda state: state == RUNNING)
        call.progress(35, "Stopping docker service")
        Engine(settings).wipe()
        text = f"Replicating datasets from {old['pool']!r} to {new['pool']!r} pool"
        call.progress(40, text)
        ensure(settings, new["pool"])
        save(settings, new)
        call.progress(70, f"Restoring docker apps in {new['pool']!r} pool")
    redeploy(call, apps)


class status:
    """Docker's status while something is done."""

    def __init__(self, middleware: Middleware, name: str) -> None:
        self._middleware, self._name = middleware, name

    def __enter__(self) -> None:
        self._middleware.docker_status = self._name

    def __exit__(self, *error: object) -> None:
        self._middleware.docker_status = ""
