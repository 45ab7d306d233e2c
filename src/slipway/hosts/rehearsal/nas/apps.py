"""``app.*``: what changes apps. Custom apps alone; there is no catalogue.

Source: ``plugins/apps/{crud,custom_app,custom_app_utils,app_scale,pull_images,upgrade}.py`` of the
middleware, and ``rollback.py`` there.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from typing import Any

from . import docker, yamls
from .appfiles import AppFiles
from .appquery import NAME, instance
from .appstates import STOPPED, STOPPING, no_workloads
from .checks import Field
from .compose import Compose
from .errors import CallError, ValidationErrors
from .middleware import Call, JobKind, Method
from .releases import Release

Table = dict[str, Any]
WRITE = "APPS_WRITE"
_COLLECT = "app.metadata.generate"
_LONGEST = 40
_EXPLAINED = """
Application name must have the following:
1) Lowercase alphanumeric characters can be specified
2) Name must start with an alphabetic character and can end with alphanumeric character
3) Hyphen '-' is allowed but not as the first or last character
e.g abc123, abc, abcd-1232
"""
_VALUES = (
    Field("values", "dict", {}, secret=True),
    Field("custom_compose_config", "dict", {}, secret=True),
    Field("custom_compose_config_string", "str", "", secret=True),
)


def methods(release: Release) -> list[Method]:
    """The methods of this part."""
    return [
        Method("app.create", _create, (_create_field(),), WRITE,
               JobKind(_create_lock(release), logs=release.install_logs)),
        _job("app.update", _update, "app_update", (NAME, _update_field(release))),
        _job("app.delete", _delete, "app_delete", (NAME, _delete_field(release))),
        _job("app.start", _start, "app_start"),
        _job("app.stop", _stop, "app_stop"),
        _job("app.redeploy", _redeploy, "app_redeploy"),
        _job("app.pull_images", _pull_images, "pull_images", (NAME, _PULL)),
        _job("app.upgrade", _upgrade, "app_upgrade", (NAME, Field("options", "dict", {}))),
        _job("app.rollback", _rollback, "app_rollback", (NAME, Field("options", "dict"))),
        Method(_COLLECT, _collect, (Field("blacklisted_apps", "list", []),), WRITE,
               JobKind(lambda given: "app_metadata_generate")),
    ]  # fmt: skip


_PULL = Field("options", "table", {}, (Field("redeploy", "bool", True),), model="AppPullImages")


def _job(
    name: str, run: Callable[..., Any], lock: str, fields: tuple[Field, ...] = (NAME,)
) -> Method:
    return Method(name, run, fields, WRITE, JobKind(lambda given: f"{lock}_{given[0]}"))


def _create_lock(release: Release) -> Callable[[list[Any]], str]:
    if release.strict:
        return lambda given: f"app_create_{given[0].get('app_name')}"
    return lambda given: f"app_create_{given[0]['app_name']}"


def _create_field() -> Field:
    name = Field("app_name", pattern="^[a-z]([-a-z0-9]*[a-z0-9])?$", least=1, most=_LONGEST,
                 explained=_EXPLAINED)  # fmt: skip
    fields = (
        Field("custom_app", "bool", False),
        *_VALUES,
        Field("catalog_app", "str", None, null=True),
        name,
        Field("train", "str", "stable", least=1),
        Field("version", "str", "latest", least=1),
    )
    return Field("app_create", "table", fields=fields, model="AppCreate")


def _update_field(release: Release) -> Field:
    name = "update" if release.strict else "app_update"
    return Field(name, "table", {}, _VALUES, model="AppUpdate")


def _delete_field(release: Release) -> Field:
    names = {"remove_images": True, "remove_ix_volumes": False, "force_remove_ix_volumes": False}
    if release.forced_removal:
        names["force_remove_custom_app"] = False
    fields = tuple(Field(name, "bool", default) for name, default in names.items())
    return Field("options", "table", {}, fields, model="AppDelete")


def compose_file(call: Call, data: Table, schema: str) -> Table:
    """The Compose file that a call brings, as a table.

    Raises:
        ValidationErrors: it brings none, two, or one that is wrong.
    """
    release = call.middleware.release
    errors = ValidationErrors()
    given = [key for key in ("custom_compose_config", "custom_compose_config_string") if data[key]]
    if not given:
        errors.add(f"{schema}.custom_compose_config", "This field is required")
    elif len(given) == 2:
        text = "Only one of these fields should be provided"
        errors.add(f"{schema}.custom_compose_config_string", text)
    config: Any = data["custom_compose_config"]
    if text := data["custom_compose_config_string"]:
        try:
            config = yamls.load(text)
        except yamls.Error:
            named = schema if release.names_update else "app_create"
            errors.add(f"{named}.custom_compose_config_string", "Invalid YAML provided")
    errors.check()
    if release.checks_compose:
        text = text or yamls.dump(config, quotes=False)
        if (why := Compose(call.middleware).refused(text)) is not None:
            errors.add(f"{schema}.{given[0]}", f"Invalid compose configuration: {why}")
            errors.check()
    return dict(config)


def _create(call: Call, data: Table) -> Table:
    docker.require(call)
    app = data["app_name"]
    if call.middleware.call("app.query", [["id", "=", app]]):
        raise CallError(f"Application with name {app} already exists", errno.EEXIST)
    if not data["custom_app"]:
        _no_catalogue(data)
    config = compose_file(call, data, "app_create")
    call.progress(25, "Initial validation completed for custom app creation")
    return _install(call, app, config)


def _no_catalogue(data: Table) -> None:
    if not data["catalog_app"]:
        raise ValidationErrors([("app_create.catalog_app", "This field is required", errno.EINVAL)])
    raise CallError(f"Unable to locate {data['catalog_app']!r} app", errno.ENOENT)


def _install(call: Call, app: str, config: Table) -> Table:
    files, compose = AppFiles(call.middleware.settings), Compose(call.middleware)
    try:
        call.progress(35, "Setting up App directory")
        files.make(app, config)
        call.progress(60, "App installation in progress, pulling images")
        compose.up(app, files.rendered(app))
    except Exception:
        call.progress(80, f"Failure occurred while installing {app!r}, cleaning up")
        _keep_logs(call, app, compose.logs(app, files.rendered(app)))
        _clean_up(call, app)
        raise
    call.middleware.call(_COLLECT)
    told = instance(call, app)
    call.middleware.tell("app.query", "ADDED", app, told)
    call.progress(100, f"{app!r} installed successfully")
    return told


def _keep_logs(call: Call, app: str, logs: str) -> None:
    if call.job is not None and call.job.log is not None:
        failed = f"No logs could be retrieved for {app!r} installation failure\n"
        call.job.write(f"App installation logs for {app}:\n{logs}" if logs else failed)


def _clean_up(call: Call, app: str) -> None:
    """A new app that failed leaves nothing: no containers, no files, no log of them."""
    files = AppFiles(call.middleware.settings)
    with contextlib.suppress(CallError):
        Compose(call.middleware).down(app, files.rendered(app))
    files.remove(app)
    call.middleware.call(_COLLECT)
    call.middleware.tell("app.query", "REMOVED", app, None)


def _update(call: Call, app: str, data: Table) -> Table:
    row = instance(call, app)
    config = compose_file(call, data, "app_update")
    told = _apply(call, app, config, "Update", compose=row["state"] != STOPPED)
    call.middleware.call(_COLLECT)
    return told


def _redeploy(call: Call, app: str) -> Table:
    instance(call, app)
    config = AppFiles(call.middleware.settings).config(app)
    return _apply(call, app, config, "Redeployment", compose=True)


def _apply(call: Call, app: str, config: Table, what: str, *, compose: bool) -> Table:
    """Files first, then Compose. When that fails, the new files stay and the app is down."""
    call.progress(25, "Initial Validation completed")
    files = AppFiles(call.middleware.settings)
    files.configure(app, config)
    call.progress(60, "Configuration updated")
    _changed(call, app)
    if compose:
        call.progress(70, "Updating docker resources")
        Compose(call.middleware).up(app, files.rendered(app))
    call.progress(100, f"{what} completed for {app!r}")
    return instance(call, app)


def _changed(call: Call, app: str, **fields: object) -> None:
    call.middleware.tell("app.query", "CHANGED", app, instance(call, app) | fields)


def _delete(call: Call, app: str, options: Table) -> bool:
    row = instance(call, app)
    files = AppFiles(call.middleware.settings)
    call.progress(20, f"Deleting {app!r} app")
    try:
        images = options["remove_images"]
        Compose(call.middleware).down(app, files.rendered(app), images=images, volumes=True)
    except CallError:
        left = row["active_workloads"]
        nothing = not any(left.get(key) for key in ("container_details", "volumes", "networks"))
        if not (options.get("force_remove_custom_app") and nothing):
            raise
    call.middleware.call(_COLLECT, [app])
    call.progress(80, "Cleaning up resources")
    files.remove(app)
    call.middleware.tell("app.query", "REMOVED", app, None)
    call.progress(100, f"Deleted {app!r} app")
    return True


def _start(call: Call, app: str) -> None:
    instance(call, app)
    call.progress(20, f"Starting {app!r} app")
    Compose(call.middleware).up(app, AppFiles(call.middleware.settings).rendered(app))
    call.progress(100, f"Started {app!r} app")


def _stop(call: Call, app: str) -> None:
    nothing = no_workloads(call.middleware.release)
    _changed(call, app, state=STOPPING, active_workloads=nothing)
    try:
        call.progress(20, f"Stopping {app!r} app")
        Compose(call.middleware).down(app, AppFiles(call.middleware.settings).rendered(app))
        call.progress(100, f"Stopped {app!r} app")
    finally:
        _changed(call, app, state=STOPPED, active_workloads=nothing)


def _pull_images(call: Call, app: str, options: Table) -> None:
    instance(call, app)
    call.progress(20, "Pulling app images")
    Compose(call.middleware).pull(app, AppFiles(call.middleware.settings).rendered(app))
    call.progress(80 if options["redeploy"] else 100, "Images pulled successfully")
    if options["redeploy"]:
        call.middleware.call("app.redeploy", app)
        call.progress(100, "App redeployed successfully")


def _upgrade(call: Call, app: str, options: Table) -> None:
    if instance(call, app)["state"] == STOPPED:
        raise CallError("In order to upgrade an app, it must not be in stopped state")
    raise CallError(f"No upgrade available for {app!r}")


def _rollback(call: Call, app: str, options: Table) -> None:
    row = instance(call, app)
    errors = ValidationErrors()
    same = options.get("app_version") == row["version"]
    missing = "Specified version is not available for rollback"
    errors.add("options.app_version", "Cannot rollback to same version" if same else missing)
    if row["state"] == STOPPED:
        errors.add("app_name", "App must not be in stopped state to rollback")
    raise errors


def _collect(call: Call, without: list[str]) -> None:
    AppFiles(call.middleware.settings).collect(without)
    call.progress(100, "Updated metadata configuration for apps")
