"""Make a stack of what Compose files mean.

What slipway can't carry to a host (a build, a folder beside the Compose files) is refused here,
with its path; a file beside them that is mounted read-only becomes a config.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping
from typing import Any

from slipway.errors import ConfigError, Problem
from slipway.reading import Reader
from slipway.stack.compose import Model
from slipway.stack.model import DataFolder, Migration, SecretSpec, Smoke, Stack

OWN = "x-slipway"
DERIVATIONS = ("redis-acl",)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILES = "the stack"
# Compose's long form of a bind mount, as far as a config can stand for it.
_MOUNT_KEYS = {"type", "source", "target", "read_only", "bind"}


def read_stack(model: Model) -> Stack:
    """Make a stack.

    Args:
        model: what the Compose files mean; it is not changed.

    Raises:
        ConfigError: the stack holds something that slipway can't carry out, or ``x-slipway`` has
            problems; all are named.
    """
    if not model.document["services"]:
        problem = Problem("services", "should be a map of at least one service")
        raise ConfigError.from_problems(_FILES, [problem])
    problems: list[Problem] = []
    warnings = list(model.warnings)
    document, roles, rolled = _carried(model, problems, warnings)
    reader = Reader(model.top.get(OWN) or {}, OWN, problems)
    migrate, verify = reader.table("migrate"), reader.table("verify")
    smoke = reader.table("smoke")
    stack = Stack(
        application=reader.text("application"),
        url=reader.text("url"),
        document=document,
        roles=roles,
        rolled=rolled,
        secrets=_secrets(reader.table("secrets")),
        data=_data(reader.table("data")),
        migration=Migration(
            migrate.text("service", ""),
            migrate.texts("command", []),
            migrate.texts("plan", []),
            migrate.text("source", ""),
        ),
        verify_path=verify.text("path", "/"),
        smoke=Smoke(smoke.texts("command", []), smoke.text_map("secrets")),
        warnings=tuple(warnings),
    )
    for table in (reader, migrate, verify, smoke):
        table.finish()
    problems += _reference_problems(stack)
    if problems:
        raise ConfigError.from_problems(_FILES, problems)
    return stack


def _carried(
    model: Model, problems: list[Problem], warnings: list[str]
) -> tuple[dict[str, Any], dict[str, str], frozenset[str]]:
    """The document as a host can have it, and which service runs which role."""
    roles, rolled = _roles(model.services, problems)
    configs = dict(model.document.get("configs") or {})
    services = {}
    for name, body in model.document["services"].items():
        where = f"services.{name}"
        kept = dict(body)
        if kept.pop("container_name", None):
            warnings.append(
                f"{where}.container_name is left out: two containers of a service must be able "
                "to exist"
            )
        if kept.pop("build", None) and name not in roles:
            problems.append(
                Problem(
                    f"{where}.build",
                    f"images come from slipway.toml: name the role in {OWN}, or leave this out "
                    "and name an image that is on the host",
                )
            )
        services[name] = _with_mounts(where, kept, configs, problems)
    document = {**model.document, "services": services}
    if configs:
        document["configs"] = configs
    for name, body in (document.get("volumes") or {}).items():
        device = ((body or {}).get("driver_opts") or {}).get("device", "")
        if _is_local(device):
            problems.append(
                Problem(f"volumes.{name}.driver_opts.device", f"{device} is not on the host")
            )
    return document, roles, rolled


def _with_mounts(
    where: str, body: dict[str, Any], configs: dict[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    """A service whose mounts of files beside the Compose files are configs."""
    volumes, mounted = [], []
    for index, mount in enumerate(body.get("volumes") or ()):
        source = mount.get("source", "")
        if mount["type"] != "bind" or not _is_local(source):
            volumes.append(mount)
        elif source.startswith("~") or not mount.get("read_only") or set(mount) - _MOUNT_KEYS:
            problems.append(
                Problem(
                    f"{where}.volumes[{index}]",
                    f"{source} is not on the host: give an absolute path there, or mount a single "
                    "file read-only (:ro), which is sent along",
                )
            )
        else:
            name = _config_name(source)
            configs[name] = {"file": source}
            mounted.append({"source": name, "target": mount["target"]})
    kept = {key: value for key, value in body.items() if key != "volumes"}
    if volumes:
        kept["volumes"] = volumes
    if mounted:
        kept["configs"] = [*(body.get("configs") or ()), *mounted]
    return kept


def _is_local(path: str) -> bool:
    """Whether a path was given relative to the Compose files, or to this machine's user."""
    return path.startswith(("./", "../", "~")) or path in (".", "..")


def _config_name(path: str) -> str:
    """A name for the config of a file; the same file has the same."""
    digest = hashlib.sha256(posixpath.normpath(path).encode()).hexdigest()[:8]
    base = re.sub(r"[^A-Za-z0-9._-]", "_", posixpath.basename(path))
    return f"mount-{base}-{digest}"


def _roles(
    services: Mapping[str, Mapping[str, Any]], problems: list[Problem]
) -> tuple[dict[str, str], frozenset[str]]:
    roles, rolled = {}, set()
    for name, body in services.items():
        reader = Reader(body.get(OWN) or {}, f"services.{name}.{OWN}", problems)
        role = reader.text("role", name if OWN in body else "")
        if role:
            roles[name] = role
        if reader.flag("roll", False):
            rolled.add(name)
        reader.finish()
    return roles, frozenset(rolled)


def _secrets(reader: Reader) -> tuple[SecretSpec, ...]:
    specs = []
    for name in reader.names():
        table = reader.table(name)
        specs.append(
            SecretSpec(
                name=name,
                generate=table.whole("generate", 0),
                derive=table.text("derive", ""),
                source=table.text("from", ""),
                owner=table.whole("owner", 568),
            )
        )
        table.finish()
    return tuple(specs)


def _data(reader: Reader) -> tuple[DataFolder, ...]:
    folders = []
    for name in reader.names():
        table = reader.table(name)
        mode = table.text("mode", "0755")
        owner = table.whole("owner", 568)
        if not mode or mode.strip("01234567"):
            table.note("mode", f'should be octal digits in quotes such as "0700", got {mode!r}')
            mode = "0"
        folders.append(DataFolder(name, int(mode, 8), owner))
        table.finish()
    return tuple(folders)


def _reference_problems(stack: Stack) -> list[Problem]:
    problems = []
    names = {spec.name for spec in stack.secrets}
    for name, body in (stack.document.get("secrets") or {}).items():
        if name not in names and not body.get("external"):
            problems.append(Problem(f"secrets.{name}", f"is not declared in {OWN}.secrets"))
    for spec in stack.secrets:
        where = f"{OWN}.secrets.{spec.name}"
        if spec.derive and spec.derive not in DERIVATIONS:
            problems.append(Problem(where, f"can't derive {spec.derive!r}: {DERIVATIONS}"))
        if spec.derive and spec.source not in names:
            problems.append(Problem(where, f"is derived from {spec.source!r}, which is not there"))
        if spec.derive and spec.generate:
            problems.append(Problem(where, "is either generated or derived, not both"))
    for variable, name in stack.smoke.secrets.items():
        where = f"{OWN}.smoke.secrets.{variable}"
        if not _VARIABLE.fullmatch(variable):
            problems.append(Problem(where, "is no name of an environment variable"))
        if name not in names:
            problems.append(Problem(where, f"there is no secret {name}"))
    service = stack.migration.service
    if service and service not in stack.services:
        problems.append(Problem(f"{OWN}.migrate.service", f"there is no service {service}"))
    for name, body in stack.services.items():
        if name not in stack.roles and not body.get("image"):
            problems.append(Problem(f"services.{name}", f"has neither {OWN}.role nor an image"))
        if not body.get("profiles"):
            problems += _missing_dependencies(stack, name, body)
    return problems


def _missing_dependencies(stack: Stack, name: str, body: Mapping[str, Any]) -> list[Problem]:
    """A standing service can't wait for one that only a profile starts: Compose refuses it."""
    needed = body.get("depends_on") or {}
    return [
        Problem(f"services.{name}.depends_on.{other}", "has a profile, so it doesn't stand")
        for other, how in needed.items()
        if how.get("required", True) and other not in stack.standing
    ]
