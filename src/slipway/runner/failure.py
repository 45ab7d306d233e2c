"""How what the host carries out fails, in a form that crosses to whoever asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cause:
    """Why something ended.

    Attributes:
        message: one sentence.
        details: further lines, such as the last ones of a container's log.
        hint: what to do next; may be empty.
        stage: the step it happened in; may be empty.
        kind: ``failed``, ``stale`` when the host is not as it was planned on, ``interrupted`` when
            somebody asked for the end, or ``busy`` when somebody else is at work.
    """

    message: str
    details: tuple[str, ...] = ()
    hint: str = ""
    stage: str = ""
    kind: str = "failed"

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "message": self.message,
            "details": list(self.details),
            "hint": self.hint,
            "stage": self.stage,
            "kind": self.kind,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Cause:
        """What :meth:`to_json` gave."""
        return cls(
            str(value["message"]),
            tuple(str(line) for line in value["details"]),
            str(value["hint"]),
            str(value["stage"]),
            str(value["kind"]),
        )


class Failed(Exception):
    """Something did not work.

    Args:
        message: one sentence.
        details: further lines.
        hint: what to do next.
        kind: as for :class:`Cause`.
    """

    def __init__(
        self, message: str, *, details: Sequence[str] = (), hint: str = "", kind: str = "failed"
    ) -> None:
        super().__init__(message)
        self.cause = Cause(message, tuple(details), hint, "", kind)
