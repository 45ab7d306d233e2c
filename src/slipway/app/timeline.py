"""``./inv bench --timeline``: where the time of a deploy of one changed line goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from slipway.app.bench import copied
from slipway.app.figure import Figure
from slipway.app.speeds import live_figure, until
from slipway.report import Report


def timeline(root: Path, report: Report) -> list[Figure]:
    """Deploy a copy of the checkout twice, a line changed between, on a host of its own.

    Args:
        root: the checkout.
        report: the person.

    Raises:
        SlipwayError: a deploy failed.
    """
    with copied(root) as copy:
        report.step("bench", "first deploy")
        copy.inv("deploy")
        copy.change_a_line()
        report.step("bench", "a changed line")
        seconds, outcome = copy.timed("deploy", "--json")
    return figures(seconds, outcome)


def figures(seconds: float, outcome: Mapping[str, Any]) -> list[Figure]:
    """The parts of a deploy, in order. Pure.

    Args:
        seconds: of the whole command.
        outcome: what ``deploy --json`` printed.
    """
    within = outcome["seconds"]
    found = [Figure("build, and what else comes before", seconds - within, "s")]
    for step in outcome["steps"]:
        found.append(Figure(step["name"], step["seconds"], "s"))
        found += _parts(step["name"], step["parts"])
    rest = within - sum(step["seconds"] for step in outcome["steps"])
    found.append(Figure("between the steps", max(0.0, rest), "s", None, "the way there and back"))
    found.append(live_figure("", until(seconds, outcome, "verify")))
    found.append(Figure("the whole command", seconds, "s"))
    return found


def _parts(step: str, parts: Iterable[Mapping[str, Any]]) -> list[Figure]:
    """How long each service took from one part to the next."""
    last: dict[str, float] = {}
    found = []
    for part in parts:
        took = part["seconds"] - last.get(part["service"], 0.0)
        last[part["service"]] = part["seconds"]
        found.append(Figure(f"  {step} {part['service']}: {part['name']}", took, "s"))
    return found
