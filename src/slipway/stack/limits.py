"""What a container of a service may take of its host at most. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Compose's byte values (https://docs.docker.com/reference/compose-file/extension/#specifying-byte-values);
# its own library writes them as plain bytes.
_BYTES = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)i?b?\Z", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one container; 0 for none.

    Attributes:
        memory: bytes.
        processors: such as 1.5.
        processes: how many.
    """

    memory: int = 0
    processors: float = 0.0
    processes: int = 0


def limits(body: Mapping[str, Any]) -> Limits:
    """The limits that a service's Compose definition sets, in its newer form or the older one."""
    deploy = body.get("deploy") or {}
    said = (deploy.get("resources") or {}).get("limits") or {}
    return Limits(
        memory=in_bytes(said.get("memory") or body.get("mem_limit") or 0),
        processors=float(said.get("cpus") or body.get("cpus") or 0),
        processes=max(0, int(said.get("pids") or body.get("pids_limit") or 0)),
    )


def in_bytes(value: object) -> int:
    """A number of bytes such as ``512M`` or ``536870912``; 0 for what is none."""
    found = _BYTES.match(str(value).strip())
    return int(float(found[1]) * _FACTORS[found[2].lower()]) if found else 0
