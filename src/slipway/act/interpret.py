"""Carry out the actions that take this machine, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slipway.act.ask import ask
from slipway.act.contents import Contents
from slipway.act.doors import Doors
from slipway.act.program import run
from slipway.act.trust import trusting
from slipway.images.transfer import Transfer
from slipway.plan.actions import Action, Ask, Load, Run, Write
from slipway.report import alive


@dataclass(slots=True)
class Interpreter:
    """Carries out what of one deploy takes this machine; the rest is the runner's.

    Attributes:
        doors: what it acts through.
        contents: the bytes that actions name.
        transfer: the images that :class:`~slipway.plan.actions.Load` names.
        bytes_sent: image bytes that went over the wire so far, compressed.
    """

    doors: Doors
    contents: Contents
    transfer: Transfer
    bytes_sent: int = 0

    def carry_out(self, actions: Iterable[Action]) -> None:
        """Do each action.

        Raises:
            DeployError: what an action asks isn't so, or what it starts failed.
            HostError: the host can't do it.
        """
        for action in actions:
            match action:
                case Load():
                    self._load()
                case Write():
                    self.doors.folder.write(action.entries, self.contents)
                case Ask():
                    ask(trusting(self.doors, action.trust), self.doors.clock, action.url)
                case Run():
                    run(self.doors, action)
                case _:
                    raise AssertionError(f"unreachable: the host does {action}")

    def _load(self) -> None:
        roles = ", ".join(image.role for image in self.transfer.images)
        progress = self.doors.report.progress(roles, self.transfer.bytes_to_send)
        try:
            with alive(progress):
                self.bytes_sent += self.doors.engine.load(self.transfer, progress)
        finally:
            progress.done()
