"""The ports that services publish on the host. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


def published_ports(services: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> set[int]:
    """The TCP ports that the named services publish on the host; ranges are counted out."""
    ports: set[int] = set()
    for name in names:
        ports.update(_published(services[name].get("ports") or ()))
    return ports


def _published(ports: Iterable[Mapping[str, Any]]) -> set[int]:
    """Of ports in Compose's long form: ``{published: "8080", target: 80, protocol: tcp}``."""
    found: set[int] = set()
    for port in ports:
        match = _RANGE.fullmatch(str(port.get("published", "")))
        if match is not None and port.get("protocol", "tcp") == "tcp":
            first = int(match[1])
            found.update(range(first, int(match[2] or first) + 1))
    return found
