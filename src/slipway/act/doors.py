"""Everything that carrying out a deploy acts through."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slipway.act.runner import Runner
from slipway.doors import Clock, Http, Shell
from slipway.hosts.counting import CountingHost
from slipway.hosts.engine import Engine
from slipway.ledger.folder import Folder
from slipway.ledger.layout import compose_file
from slipway.report import Report


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors to a host, to this machine and to the person.

    Attributes:
        host: the target, which counts how often it is asked.
        engine: its Docker.
        folder: the application's folder there.
        runner: what carries out steps there.
        shell: this machine.
        http: requests to the stack.
        clock: time.
        report: the person.
        root: the checkout.
        docker: the docker program there.
        only: whether only TrueNAS can be asked there, for nobody has a right to its Docker.
    """

    host: CountingHost
    engine: Engine
    folder: Folder
    runner: Runner
    shell: Shell
    http: Http
    clock: Clock
    report: Report
    root: Path
    docker: str = "docker"
    only: bool = False

    def compose_file(self, release: str) -> str:
        """Where a release's Compose file lies on the host, absolute."""
        return f"{self.folder.path}/{compose_file(release)}"
