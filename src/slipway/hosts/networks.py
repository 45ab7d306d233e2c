"""The networks of a host's Docker. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from slipway.runner.containers import PROJECT_LABEL


@dataclass(frozen=True, slots=True)
class Network:
    """A network.

    Attributes:
        name: Docker's name.
        driver: such as ``bridge``.
        internal: whether nothing outside can be reached from it.
        project: Compose's project that made it; empty for one that Compose did not make.
    """

    name: str
    driver: str
    internal: bool
    project: str = ""


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read one object of ``docker network ls --format '{{json .}}'`` a line.

    Its values are all texts, ``Internal`` being ``true`` or ``false``, ``Labels`` being
    ``NAME=VALUE`` with commas between them.

    Raises:
        ValueError, KeyError, TypeError: it isn't that.
    """
    found = (json.loads(line) for line in text.splitlines())
    return tuple(
        Network(
            str(one["Name"]),
            str(one["Driver"]),
            str(one["Internal"]).lower() == "true",
            _project(str(one.get("Labels", ""))),
        )
        for one in found
    )


def _project(labels: str) -> str:
    pairs = (label.partition("=") for label in labels.split(","))
    return next((value for name, _, value in pairs if name == PROJECT_LABEL), "")
