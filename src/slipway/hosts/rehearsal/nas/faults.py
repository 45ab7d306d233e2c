"""What should go wrong, read anew at each call from a file that a test writes.

Keys, all optional: ``down`` (nobody answers on the socket), ``docker_status`` (a status, such as
``FAILED``), ``docker_description``, ``docker_down`` (Docker counts as not running), ``compose``
(action, such as ``up``, to ``"timeout"`` or to the text of its standard error), ``slow`` (method to
seconds that its job waits before it does anything), ``error`` (method to the text of a CallError),
``privileges`` (user to roles).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Faults:
    """What should go wrong; see the module."""

    down: bool = False
    docker_status: str = ""
    docker_description: str = ""
    docker_down: bool = False
    compose: dict[str, str] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    error: dict[str, str] = field(default_factory=dict)
    privileges: dict[str, list[str]] = field(default_factory=dict)


def read(path: Path) -> Faults:
    """What the file says; nothing goes wrong while there is none.

    Raises:
        ValueError: it says something that is no fault.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Faults()
    try:
        return Faults(**json.loads(text))
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from error
