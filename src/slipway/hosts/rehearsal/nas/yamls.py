"""YAML as the middleware reads and writes it: PyYAML, and so YAML 1.1 with all its traps.

Source: ``plugins/apps/ix_apps/utils.py`` of the middleware.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Error = yaml.YAMLError


class _Quoting(yaml.SafeDumper):
    """Quotes every text."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Quoting.add_representer(str, _quoted)


def load(text: str) -> Any:
    """What a document says.

    Raises:
        Error: it is none.
    """
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, in C where there is one


def load_table(path: Path) -> dict[str, Any]:
    """A file's table; an empty one where there is no such file or no YAML in it."""
    with contextlib.suppress(FileNotFoundError, Error):
        return load(path.read_text("utf-8")) or {}
    return {}


def dump(value: object, *, quotes: bool) -> str:
    """The document of a value, keys in alphabetical order.

    Args:
        value: what it says.
        quotes: every text in quotes, as from 25.10 on.
    """
    if quotes:
        return str(yaml.dump(value, Dumper=_Quoting))
    return str(yaml.safe_dump(value))


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Put a text in a file's place, in one step."""
    beside = path.with_name(f".{path.name}.new")
    beside.touch(mode)
    beside.chmod(mode)
    beside.write_text(text, "utf-8")
    beside.replace(path)
