"""Render the one Compose file that a host gets. Pure.

Images are pinned references, config files and secrets absolute paths whose last parts change with
the content, and each service carries a label with the hash of all that shapes its container, so
that "did it change?" is one comparison. The file is JSON, which is YAML with every string quoted:
no reader can take a value for something else.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slipway.errors import ConfigError, Problem
from slipway.runner.handed import handed_folder
from slipway.stack.model import Stack
from slipway.stack.reloads import mounted

CONFIG_LABEL = "io.slipway.config"
ROLE_LABEL = "io.slipway.role"
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class HostFile:
    """A file that goes to the host under the hash of its content.

    Attributes:
        name: its base name.
        sha256: hex digest of the content, and of whether it is a program.
        program: whether it may be executed.
    """

    name: str
    sha256: str
    program: bool = False

    def path(self, app_dir: str) -> str:
        """Where it lies on the host."""
        return f"{app_dir}/files/{self.sha256[:12]}/{self.name}"


@dataclass(frozen=True, slots=True)
class Rendered:
    """The Compose file of a release.

    Attributes:
        text: the file, byte for byte.
        sha256: hex digest of ``text``.
        hashes: service to the value of its :data:`CONFIG_LABEL`.
        networks: name to the hash of its definition; those that others made are left out.
        volumes: likewise, but for the name that Docker knows it by: under another one it is made
            beside the old one.
    """

    text: bytes
    sha256: str
    hashes: dict[str, str]
    networks: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)


def host_file(path: str, content: bytes, *, program: bool = False) -> HostFile:
    """The name and hash of a config file; as a program it lies elsewhere than as a text."""
    digest = hashlib.sha256(content)
    if program:
        digest.update(b"\0program")
    return HostFile(path.rpartition("/")[2], digest.hexdigest(), program)


def secret_path(app_dir: str, name: str, version: int) -> str:
    """Where a version of a secret lies on the host."""
    return f"{app_dir}/secrets/{name}/{version}"


def handed_path(app_dir: str, service: str) -> str:
    """Where the secrets of a service that takes them while it runs lie on the host."""
    return f"{app_dir}/{handed_folder(service)}"


def render(
    stack: Stack,
    *,
    images: Mapping[str, str],
    files: Mapping[str, HostFile],
    secrets: Mapping[str, int],
    app_dir: str,
) -> Rendered:
    """Make the Compose file.

    Args:
        stack: what to run.
        images: role to pinned image reference.
        files: config name to the file it is.
        secrets: secret name to version.
        app_dir: the application's folder on the host.

    Raises:
        ConfigError: a service names a role that has no image.
    """
    document = copy.deepcopy(stack.document)
    document["name"] = stack.project
    for name, body in (document.get("configs") or {}).items():
        if name in files:
            _point(body, files[name].path(app_dir))
    for name, body in (document.get("secrets") or {}).items():
        if name in secrets:
            _point(body, secret_path(app_dir, name, secrets[name]))
    problems: list[Problem] = []
    hashes: dict[str, str] = {}
    for one in stack.reloads:
        folder = handed_path(app_dir, one.service)
        document["services"][one.service] = mounted(document["services"][one.service], folder)
    for service, body in document["services"].items():
        role = stack.roles.get(service)
        if role is not None:
            if role not in images:
                problems.append(Problem(f"services.{service}", f"there is no role {role}"))
                continue
            body["image"] = images[role]
        hashes[service] = _label(role, body, document)
    if problems:
        raise ConfigError.from_problems("the stack", problems)
    text = json_as_yaml(_escaped(document)).encode()
    return Rendered(
        text,
        hashlib.sha256(text).hexdigest(),
        hashes,
        networks=_definitions(document.get("networks")),
        volumes=_definitions(document.get("volumes"), but=("name",)),
    )


def _definitions(table: Mapping[str, Any] | None, *, but: tuple[str, ...] = ()) -> dict[str, str]:
    """Hashes that a later form of Compose's model, with one more empty default, doesn't change."""
    said = {
        name: _said({key: value for key, value in (body or {}).items() if key not in but})
        for name, body in (table or {}).items()
        if not (isinstance(body, dict) and body.get("external"))
    }
    return {name: _hash(body) for name, body in said.items()}


def _said(value: Any) -> Any:
    """``value`` without what says nothing: empty maps, lists and texts, null."""
    if not isinstance(value, dict):
        return value
    inner = {key: _said(item) for key, item in value.items()}
    return {key: item for key, item in inner.items() if item not in ({}, [], "", None)}


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def json_as_yaml(value: Any) -> str:
    """JSON that YAML readers take for the same value.

    YAML knows no surrogate pairs, so characters are written as themselves, but those it forbids in
    a file (https://yaml.org/spec/1.2.2/#51-character-set) are escaped.
    """
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def _label(
    role: str | None,
    body: dict[str, Any],
    document: dict[str, Any],
) -> str:
    """Add slipway's labels to a service; the hash of everything that shapes its container.

    The image is left out: that it changed is seen by comparing digests, and is a reason of its own.
    """
    used: dict[str, Any] = {}
    for kind in ("configs", "secrets", "networks", "volumes"):
        declared = document.get(kind) or {}
        names = _used_names(kind, body.get(kind) or ())
        used[kind] = {name: declared[name] for name in names if name in declared}
    shape = {key: value for key, value in body.items() if key != "image"}
    digest = _hash([shape, used])
    labels = body.setdefault("labels", {})
    labels[CONFIG_LABEL] = digest
    if role is not None:
        labels[ROLE_LABEL] = role
    return digest


def _used_names(kind: str, used: Any) -> list[str]:
    """What a service uses of a kind; networks are a map by name, the others lists of maps."""
    if kind == "networks":
        return sorted(used)
    return sorted(item["source"] for item in used if item.get("source"))


def _point(body: dict[str, Any], path: str) -> None:
    """Let a config or secret be a file on the host, whatever it was."""
    for key in ("content", "environment"):
        body.pop(key, None)
    body["file"] = path


def _escaped(value: Any) -> Any:
    """``value`` with every ``$`` doubled: Compose fills in variables once more on the host."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value
