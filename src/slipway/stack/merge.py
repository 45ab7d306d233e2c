"""Merge several Compose files into one, by Compose's rules.

The rules are those of the Compose specification (13-merge) as compose-go 2 applies them: maps
merge key by key; lists are joined, and where their items have an identity (a port, a mount's
target, a variable's name) the later item takes the place of the earlier; a command, an entrypoint
and a health check's test are replaced whole, and so are ``x-`` keys except slipway's own;
``!reset`` removes and ``!override`` replaces. A parity test runs the real Compose beside this
module.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from slipway.stack.yamlfile import RESET, Override

Path = tuple[str, ...]

# Lists of KEY=VALUE and maps mean the same here; both become a map. `*` stands for any name.
KEY_VALUE = (
    "services.*.environment",
    "services.*.labels",
    "services.*.annotations",
    "services.*.sysctls",
    "services.*.deploy.labels",
    "services.*.logging.options",
    "networks.*.labels",
    "volumes.*.labels",
    "secrets.*.labels",
    "configs.*.labels",
)
# Lists without values in which each item counts once.
SETS = (
    "services.*.cap_add",
    "services.*.cap_drop",
    "services.*.dns",
    "services.*.dns_opt",
    "services.*.dns_search",
    "services.*.expose",
    "services.*.profiles",
    "services.*.tmpfs",
    "services.*.security_opt",
    "services.*.group_add",
    "services.*.networks.*.aliases",
)
# A single text means a list of one here.
_ONE_OR_MANY = ("services.*.tmpfs", "services.*.dns", "services.*.dns_search")
_REPLACED = (
    "services.*.command",
    "services.*.entrypoint",
    "services.*.healthcheck.test",
)


def merge(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One document of several, later ones over earlier ones.

    Args:
        documents: parsed files with their variables filled in, in the order they apply.
    """
    result: dict[str, Any] = {}
    for document in documents:
        result = _maps((), result, document)
    return result


def _merge(path: Path, old: Any, new: Any) -> Any:
    if new is RESET or isinstance(new, Override):
        return normal(path, new)
    if path[-1].startswith("x-") and path[-1] != "x-slipway":
        return new
    if new is None and old is not None and not _matches(path, KEY_VALUE):
        return old
    if _matches(path, _REPLACED):
        return new
    new = _form(path, new)
    if path[:1] == ("services",) and path[2:] == ("logging",) and _other_driver(old, new):
        return new
    if isinstance(old, dict) and isinstance(new, dict):
        return _maps(path, old, new)
    if isinstance(old, list) and isinstance(new, list):
        return _lists(path, old, new)
    return new


def _maps(path: Path, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    result = dict(old)
    for key, value in new.items():
        inner = (*path, key)
        result[key] = _merge(inner, result[key], value) if key in result else normal(inner, value)
        if result[key] is RESET:
            del result[key]
    return result


def _lists(path: Path, old: list[Any], new: list[Any]) -> list[Any]:
    return unique(path, [*old, *new])


def unique(path: Path, items: list[Any]) -> list[Any]:
    """``items`` with only the last of those that are the same thing, in the first one's place."""
    identity = _identity(path)
    if identity is None:
        return items
    kept: dict[Any, Any] = {}
    for item in items:
        kept[identity(item)] = item
    return list(kept.values())


def _identity(path: Path) -> Callable[[Any], Any] | None:
    if _matches(path, SETS):
        return str
    if _matches(path, ("services.*.ports",)):
        return _port
    if _matches(path, ("services.*.volumes", "services.*.devices")):
        return _mount
    if _matches(path, ("services.*.configs",)):
        return _mounted_file("")
    if _matches(path, ("services.*.secrets",)):
        return _mounted_file("/run/secrets")
    return None


def normal(path: Path, value: Any) -> Any:
    """``value`` as it stands when nothing is merged into it: short forms and tags resolved."""
    if isinstance(value, Override):
        return normal(path, value.value)
    value = _form(path, value)
    if isinstance(value, dict):
        inner = {key: normal((*path, key), item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item is not RESET}
    if isinstance(value, list):
        items = [normal((*path, "[]"), item) for item in value]
        return unique(path, [item for item in items if item is not RESET])
    return value


def _form(path: Path, value: Any) -> Any:
    """A short list form as the map, or a single text as the list, that its place has."""
    if isinstance(value, list) and _matches(path, KEY_VALUE):
        return dict(_pair(item) for item in value)
    if isinstance(value, list) and _is_named_list(path):
        return {str(item): _named_default(path) for item in value}
    if isinstance(value, str) and _matches(path, _ONE_OR_MANY):
        return [value]
    return value


def _is_named_list(path: Path) -> bool:
    return _matches(path, ("services.*.depends_on", "services.*.networks"))


def _named_default(path: Path) -> Any:
    if path[-1] == "depends_on":
        return {"condition": "service_started", "required": True}
    return None


def _pair(item: Any) -> tuple[str, Any]:
    name, equals, value = str(item).partition("=")
    return name, value if equals else None


def _other_driver(old: Any, new: Any) -> bool:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return False
    return "driver" in old and "driver" in new and old["driver"] != new["driver"]


def _port(item: Any) -> Any:
    if isinstance(item, dict):
        return (
            str(item.get("host_ip", "")),
            str(item.get("published", "")),
            str(item.get("target", "")),
            str(item.get("protocol", "tcp")),
        )
    text = str(item)
    text, _, protocol = text.partition("/")
    host, _, target = text.rpartition(":")
    address, _, published = host.rpartition(":")
    return address, published, target, protocol or "tcp"


def _mount(item: Any) -> str:
    if isinstance(item, dict):
        return posixpath.normpath(str(item.get("target", "")))
    parts = str(item).split(":")
    return posixpath.normpath(parts[1] if len(parts) > 1 else parts[0])


def _mounted_file(folder: str) -> Callable[[Any], str]:
    def identity(item: Any) -> str:
        if not isinstance(item, dict):
            return f"{folder}/{item}"
        source = str(item.get("source", ""))
        target = str(item.get("target") or source)
        return target if target.startswith("/") else f"{folder}/{target}"

    return identity


def _matches(path: Path, patterns: Iterable[str]) -> bool:
    return any(
        len(parts) == len(path)
        and all(part in ("*", name) for part, name in zip(parts, path, strict=True))
        for parts in (pattern.split(".") for pattern in patterns)
    )
