"""Make a stack of what Compose files mean.

What slipway can't carry to a host (a build, a folder beside the Compose files) is refused here,
with its path; a file beside them that is mounted read-only becomes a config.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from slipway.errors import ConfigError, Problem
from slipway.reading import Reader
from slipway.stack import tables
from slipway.stack.compose import Model
from slipway.stack.health import replicas
from slipway.stack.model import Rolling, Smoke, Stack
from slipway.stack.references import OWN, reference_problems
from slipway.stack.reloads import reloads
from slipway.stack.tables import at_most
from slipway.stack.twice import stands_once

_FILES = "the stack"
_DRAIN_MOST_S = 86_400
# Compose's long form of a bind mount, as far as a config can stand for it.
_MOUNT_KEYS = {"type", "source", "target", "read_only", "bind"}


def read_stack(
    model: Model, *, application: str = "", roles: Collection[str] | None = None
) -> Stack:
    """Make a stack.

    Args:
        model: what the Compose files mean; it is not changed.
        application: the name that it has to have; empty for any.
        roles: those there are images for; None for any.

    Raises:
        ConfigError: the stack holds something that slipway can't carry out, or ``x-slipway`` has
            problems; all are named, each with its file and line.
    """
    if not model.document["services"]:
        problem = Problem("services", "should be a map of at least one service")
        raise ConfigError.from_problems(_FILES, [problem])
    problems: list[Problem] = []
    warnings = list(model.warnings)
    own = _own(model.services, problems)
    document, rolled = _carried(model, own, problems, warnings)
    reader = Reader(model.top.get(OWN) or {}, OWN, problems)
    verify, smoke = reader.table("verify"), reader.table("smoke")
    stack = Stack(
        application=reader.text("application"),
        url=reader.text("url"),
        document=document,
        roles={name: one.role for name, one in own.items() if one.role},
        rolled=rolled,
        drains={name: one.drain_s for name, one in own.items() if one.drain_s is not None},
        edge=tables.edge(reader.table("edge")),
        secrets=tables.secrets(reader.table("secrets")),
        data=tables.data(reader.table("data")),
        reloads=reloads(document["services"], {n: one.reload for n, one in own.items()}, problems),
        migration=tables.migration(reader.table("migrate")),
        verify_path=verify.text("path", "/"),
        smoke=Smoke(smoke.texts("command", []), smoke.text_map("secrets")),
        soak=tables.soak(reader.table("soak")),
        trust=tables.trust(reader),
        warnings=tuple(warnings),
    )
    for table in (reader, verify, smoke):
        table.finish()
    if stack.verify_path and not stack.verify_path.startswith("/"):
        verify.note("path", f"should begin with a slash, got {stack.verify_path!r}")
    if application and stack.application not in ("", application):
        reader.note("application", f"is {stack.application}, slipway.toml's is {application}")
    problems += [*reference_problems(stack), *_role_problems(stack, roles)]
    if problems:
        raise ConfigError.from_problems(_FILES, model.placed(problems))
    return replace(stack, warnings=(*stack.warnings, *_count_warnings(stack)))


def _role_problems(stack: Stack, roles: Collection[str] | None) -> list[Problem]:
    if roles is None:
        return []
    return [
        Problem(
            f"services.{name}.{OWN}.role",
            f"slipway.toml has no image for {role}; the roles are {', '.join(roles)}",
        )
        for name, role in stack.roles.items()
        if role not in roles
    ]


def _count_warnings(stack: Stack) -> list[str]:
    """Compose's own numbers are taken as they are: what stands there is somebody's wish."""
    return [
        f"services.{name}: {count} containers of it, and nothing says that two may be there side "
        "by side (`x-slipway: {roll: …}`): when it changes all of them are stopped first"
        for name in stack.standing
        if (count := replicas(stack.services[name])) > 1 and name not in stack.rolled
    ]


def _carried(
    model: Model, own: Mapping[str, _Own], problems: list[Problem], warnings: list[str]
) -> tuple[dict[str, Any], dict[str, Rolling]]:
    """The document as a host can have it, and how services roll there."""
    rolled: dict[str, Rolling] = {}
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
        said = own[name]
        if kept.pop("build", None) and not said.role:
            problems.append(
                Problem(
                    f"{where}.build",
                    f"images come from slipway.toml: name the role in {OWN}, or leave this out "
                    "and name an image that is on the host",
                )
            )
        services[name] = _with_mounts(where, kept, configs, problems)
        if said.rolling and (why := stands_once(services[name])):
            warnings.append(f"{where} is stopped before its next container starts, since {why}")
        elif said.rolling:
            rolled[name] = said.rolling
    document = {**model.document, "services": services}
    if configs:
        document["configs"] = configs
    for name, body in (document.get("volumes") or {}).items():
        device = ((body or {}).get("driver_opts") or {}).get("device", "")
        if _is_local(device):
            problems.append(
                Problem(f"volumes.{name}.driver_opts.device", f"{device} is not on the host")
            )
    return document, rolled


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


@dataclass(frozen=True, slots=True)
class _Own:
    """What ``x-slipway`` says of a service: its role, how it rolls, how long requests may take,
    and what has it take its secrets anew."""

    role: str
    rolling: Rolling | None
    drain_s: float | None
    reload: tuple[str, ...]


def _own(services: Mapping[str, Mapping[str, Any]], problems: list[Problem]) -> dict[str, _Own]:
    found = {}
    for name, body in services.items():
        reader = Reader(body.get(OWN) or {}, f"services.{name}.{OWN}", problems)
        role = reader.text("role", name if OWN in body else "")
        rolling = _rolling(reader)
        drain_s = reader.number("drain", 0) if reader.has("drain") else None
        if drain_s is not None and rolling != "edge":
            reader.note("drain", "is for a service with roll: true, whose requests the edge counts")
        at_most(reader, "drain", drain_s or 0, _DRAIN_MOST_S, "the seconds of a day")
        found[name] = _Own(role, rolling, drain_s, reader.texts("reload", []))
        reader.finish()
    return found


def _rolling(reader: Reader) -> Rolling | None:
    value = reader.take("roll")
    if value is True:
        return "edge"
    if value == "beside":
        return "beside"
    if value not in (None, False):
        reader.note("roll", f"should be true, false or beside, got {value!r}")
    return None
