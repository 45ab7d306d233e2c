"""What a service should come to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.runner.containers import Container


@dataclass(frozen=True)
class Expected:
    """What a service should come to.

    Attributes:
        service: its name.
        containers: how many.
        deadline_s: seconds until each runs, and is healthy where it has a health check.
        ends: whether it is a piece of work that ends, with code 0, instead.
        config: the ``io.slipway.config`` label of the containers that count; empty for all.
        images: the image ids that those may have; empty for any.
    """

    service: str
    containers: int
    deadline_s: int
    ends: bool = False
    config: str = ""
    images: tuple[str, ...] = ()

    def to_json(self) -> dict[str, int | bool]:
        """What a record holds beside the name."""
        return {
            "containers": self.containers,
            "deadline_s": self.deadline_s,
            "ends": self.ends,
        }

    def counts(self, container: Container) -> bool:
        """Whether a container is one of the service's that count."""
        return (
            container.service == self.service
            and not container.one_off
            and container.fits(self.config, self.images)
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Expected:
        """What :meth:`to_json` gave, with the name beside it."""
        return cls(
            str(value["service"]),
            int(value["containers"]),
            int(value["deadline_s"]),
            bool(value["ends"]),
            str(value.get("config", "")),
            tuple(str(one) for one in value.get("images", ())),
        )
