"""A container of the application."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Container:
    """What is known of one container of the application.

    Attributes:
        service: its Compose service.
        id: Docker's id.
        name: Docker's name.
        image_id: id of the image it runs.
        state: ``created``, ``running``, ``restarting``, ``paused``, ``exited`` or ``dead``.
        health: ``starting``, ``healthy``, ``unhealthy``, or empty without a health check.
        restarts: how often Docker started it again.
        exit_code: of its last end.
        oom_killed: whether its memory limit killed it.
        config: the value of its ``io.slipway.config`` label; empty without one.
        one_off: whether it was started by ``run``, beside the service.
        file: the Compose file on the host that it was made from; empty when it doesn't say.
        ports: TCP ports of the host that it asks for.
    """

    service: str
    id: str
    name: str
    image_id: str
    state: str
    health: str = ""
    restarts: int = 0
    exit_code: int = 0
    oom_killed: bool = False
    config: str = ""
    one_off: bool = False
    file: str = ""
    ports: tuple[int, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether its work ended with success."""
        return self.state == "exited" and self.exit_code == 0

    @property
    def well(self) -> bool:
        """Whether it runs, and is healthy where it says."""
        return self.state == "running" and self.health in ("", "healthy")


def standing(containers: tuple[Container, ...]) -> tuple[Container, ...]:
    """The containers of services: without those that ``run`` started once, beside a service."""
    return tuple(one for one in containers if not one.one_off)
