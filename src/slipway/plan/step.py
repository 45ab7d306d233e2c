"""A step of a deploy, as a value: what it believes, does, and is undone by. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.plan.actions import Action


@dataclass(frozen=True, slots=True)
class Belief:
    """What was true on the host when the plan was made.

    Attributes:
        current: id of the live release, or None.
        containers: the application's containers: service, id, image id, sorted; None for a step
            that comes after they changed.
    """

    current: str | None
    containers: tuple[tuple[str, str, str], ...] | None = None

    def to_json(self) -> dict[str, object]:
        """All fields."""
        containers = self.containers
        return {
            "current": self.current,
            "containers": None if containers is None else [list(one) for one in containers],
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        name: such as ``transfer``.
        about: what it does, for people.
        belief: what must still be true when it begins, or None when it changes nothing that runs.
        do: what is done, in order.
        undo: what is done on the way back.
        reason: why nothing is undone, when nothing is.
    """

    name: str
    about: str
    belief: Belief | None = None
    do: tuple[Action, ...] = ()
    undo: tuple[Action, ...] = ()
    reason: str = ""

    @property
    def here(self) -> bool:
        """Whether this machine does all of it."""
        return all(action.where == "here" for action in self.do)

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "name": self.name,
            "about": self.about,
            "belief": self.belief.to_json() if self.belief else None,
            "do": [action.to_json() for action in self.do],
            "undo": [action.to_json() for action in self.undo],
            "reason": self.reason,
        }


def asked(steps: Sequence[Step]) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """The steps that this machine does before it asks the host, and those that the host does."""
    first = next((n for n, step in enumerate(steps) if not step.here), len(steps))
    return tuple(steps[:first]), tuple(steps[first:])
