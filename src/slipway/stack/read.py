"""Make a stack of what Compose files mean.

What slipway can't carry to a host (a build, a folder beside the Compose files) is refused here,
with its path; a file beside them that is mounted read-only becomes a config.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.errors import ConfigError, Problem
from slipway.reading import Reader
from slipway.stack.compose import Model
from slipway.stack.model import (
    DataFolder,
    Edge,
    Migration,
    Piped,
    Rolling,
    SecretSpec,
    Smoke,
    Soak,
    Stack,
)
from slipway.stack.references import OWN, reference_problems
from slipway.stack.twice import stands_once

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
        edge=_edge(reader.table("edge")),
        secrets=_secrets(reader.table("secrets")),
        data=_data(reader.table("data")),
        migration=_migration(reader.table("migrate")),
        verify_path=verify.text("path", "/"),
        smoke=Smoke(smoke.texts("command", []), smoke.text_map("secrets")),
        soak=_soak(reader.table("soak")),
        warnings=tuple(warnings),
    )
    for table in (reader, verify, smoke):
        table.finish()
    problems += reference_problems(stack)
    if problems:
        raise ConfigError.from_problems(_FILES, problems)
    return stack


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
    """What ``x-slipway`` says of a service: its role, how it rolls, how long requests may take."""

    role: str
    rolling: Rolling | None
    drain_s: float | None


def _own(services: Mapping[str, Mapping[str, Any]], problems: list[Problem]) -> dict[str, _Own]:
    found = {}
    for name, body in services.items():
        reader = Reader(body.get(OWN) or {}, f"services.{name}.{OWN}", problems)
        role = reader.text("role", name if OWN in body else "")
        rolling = _rolling(reader)
        drain_s = reader.number("drain", 0) if reader.has("drain") else None
        if drain_s is not None and rolling != "edge":
            reader.note("drain", "is for a service with roll: true, whose requests the edge counts")
        found[name] = _Own(role, rolling, drain_s)
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


def _edge(reader: Reader) -> Edge:
    if not reader.names():
        return Edge()
    edge = Edge(reader.text("service"), reader.text("socket"))
    if edge.socket and not edge.socket.startswith("/"):
        reader.note("socket", f"should be an absolute path, got {edge.socket!r}")
    reader.finish()
    return edge


def _migration(reader: Reader) -> Migration:
    migration = Migration(
        reader.text("service", ""),
        reader.texts("command", []),
        reader.texts("plan", []),
        reader.text("source", ""),
        _piped(reader.table("dump")),
        _piped(reader.table("restore")),
    )
    if migration.restore.command and not migration.dump.command:
        reader.note("restore", "would never have anything to read: dump is not there")
    reader.finish()
    return migration


def _piped(reader: Reader) -> Piped:
    if not reader.names():
        return Piped()
    piped = Piped(reader.text("service"), reader.texts("command"))
    if reader.has("command") and not piped.command:
        reader.note("command", "should begin with a program")
    reader.finish()
    return piped


def _soak(reader: Reader) -> Soak:
    soak = Soak(reader.number("seconds", Soak().seconds), reader.number("errors", Soak().errors))
    if soak.errors > 1:
        reader.note("errors", f"is a share, from 0 to 1, got {soak.errors:g}")
    reader.finish()
    return soak


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
