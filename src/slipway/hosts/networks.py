"""The networks of a host's Docker. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Network:
    """A network.

    Attributes:
        name: Docker's name.
        driver: such as ``bridge``.
        internal: whether nothing outside can be reached from it.
    """

    name: str
    driver: str
    internal: bool


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read one object of ``docker network ls --format '{{json .}}'`` a line.

    Its values are all texts, ``Internal`` being ``true`` or ``false``.

    Raises:
        ValueError, KeyError, TypeError: it isn't that.
    """
    found = (json.loads(line) for line in text.splitlines())
    return tuple(
        Network(str(one["Name"]), str(one["Driver"]), str(one["Internal"]).lower() == "true")
        for one in found
    )
