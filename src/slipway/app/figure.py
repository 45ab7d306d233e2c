"""A measured number, and how many of them are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slipway.report import table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        name: what was measured.
        value: the number.
        unit: its unit, such as ``MB`` or ``s``.
        goal: the number it should not exceed, or None.
        note: how it was measured, or what it is compared with.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "goal": self.goal,
            "met": None if self.goal is None else self.value <= self.goal,
            "note": self.note,
        }


def figures_text(figures: Iterable[Figure]) -> str:
    """The figures as a table for people."""
    rows = []
    for figure in figures:
        met = "" if figure.goal is None else "yes" if figure.value <= figure.goal else "NO"
        goal = "" if figure.goal is None else f"{figure.goal:g}"
        rows.append([figure.name, f"{figure.value:.2f}", figure.unit, goal, met, figure.note])
    return table(rows, head=("what", "measured", "unit", "goal", "met", "how"))
