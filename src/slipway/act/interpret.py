"""Carry out actions, one after the other: the only place that turns them into deeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slipway.act.ask import ask
from slipway.act.compose import compose
from slipway.act.contents import Contents
from slipway.act.doors import Doors
from slipway.act.program import run
from slipway.act.watching import check_services
from slipway.images.transfer import Transfer
from slipway.plan.actions import Action, Ask, Compose, Load, Remove, Run, Watch, Write
from slipway.report import human_bytes


@dataclass(slots=True)
class Interpreter:
    """Carries out the actions of one deploy.

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
        """Do each action, until one says that the rest has nothing to do.

        Raises:
            DeployError: what an action checks isn't so, or what it starts failed.
            HostError: the host can't do it.
        """
        for action in actions:
            if not self._perform(action):
                return

    def _perform(self, action: Action) -> bool:
        """Do one action; whether those after it have anything to do."""
        doors = self.doors
        if isinstance(action, Compose):
            return compose(doors, action)
        if isinstance(action, Load):
            self._load()
        elif isinstance(action, Write):
            doors.folder.write(action.entries, self.contents)
        elif isinstance(action, Remove):
            self._remove(action)
        elif isinstance(action, Watch):
            check_services(doors, action.expected)
        elif isinstance(action, Ask):
            ask(doors.http, doors.clock, action.url)
        elif isinstance(action, Run):
            run(doors, action)
        return True

    def _load(self) -> None:
        roles = ", ".join(image.role for image in self.transfer.images)
        progress = self.doors.report.progress(roles, self.transfer.bytes_to_send)
        try:
            self.bytes_sent += self.doors.engine.load(self.transfer, progress)
        finally:
            progress.done()

    def _remove(self, action: Remove) -> None:
        doors = self.doors
        stayed = doors.engine.remove_images(action.images) if action.images else ()
        if action.networks:
            doors.engine.remove_networks(action.networks)
        if action.paths:
            doors.folder.remove(action.paths)
        if action.images or action.paths:
            doors.report.say(
                f"  {len(action.images) - len(stayed)} image tags, {len(action.paths)} files and "
                f"folders: {human_bytes(action.bytes)} freed"
            )
