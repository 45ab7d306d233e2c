"""How fast deploys are: from what commands took and printed to figures. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from slipway.app.figure import Figure

_LIVE = "the new containers serve and have passed every health check"
#: Seconds of a whole command, and what ``deploy --json`` printed.
Run = tuple[float, Mapping[str, Any]]


def first(run: Run) -> list[Figure]:
    """Of a first deploy, which boots the host."""
    seconds, outcome = run
    return [
        Figure("first deploy, images built", seconds, "s", None, "boots the host"),
        Figure("first deploy, bytes moved", outcome["bytes_sent"] / 1e6, "MB"),
        Figure("first deploy: the host is asked", outcome["round_trips"], "times"),
    ]


def idle(runs: Sequence[Run]) -> list[Figure]:
    """Of deploys for which nothing had changed."""
    return [
        Figure("nothing changed: deploy", median(seconds for seconds, _ in runs), "s", 0.7),
        _most("nothing changed: the host is asked", runs, "round_trips", "times", 3),
        _most("nothing changed: containers touched", runs, "containers_touched", "", 0),
    ]


def builds(seconds: Sequence[float]) -> list[Figure]:
    """Of builds of every image for one changed line."""
    return [Figure("one line: rebuild of all images", median(seconds), "s", 1, "whole command")]


def everywhere(runs: Sequence[Run], saved: float) -> list[Figure]:
    """Of deploys of one changed line that every Python service imports.

    Args:
        runs: at least one.
        saved: bytes of the whole api image, compressed as ``docker save | gzip`` would.
    """
    moved = median(outcome["bytes_sent"] for _, outcome in runs)
    return [
        _most("one line: the host is asked", runs, "round_trips", "times", 20),
        Figure("one line: bytes moved", moved / 1e3, "kB", 100, "five images"),
        Figure(
            "one line: docker save | gzip / ours",
            saved / moved,
            "times",
            None,
            "api image alone, same run",
        ),
        *_speeds("one line", runs),
    ]


def alone(runs: Sequence[Run]) -> list[Figure]:
    """Of deploys of one changed line that nothing but the API imports."""
    name = "one line of the API"
    return [
        _most(f"{name}: containers touched", runs, "containers_touched", "", 1),
        _most(f"{name}: the host is asked", runs, "round_trips", "times", 20),
        *_speeds(name, runs),
    ]


def live_figure(prefix: str, seconds: float) -> Figure:
    """How long it took until the new release served."""
    return Figure(f"{prefix}edit to verified live", seconds, "s", 5, _LIVE)


def until(seconds: float, outcome: Mapping[str, Any], step: str) -> float:
    """How long it took until a step of a deploy had ended, in seconds.

    From the end of ``verify`` on the new release serves. What comes after it is the smoke test,
    being watched, being recorded, and the end of the old one.

    Args:
        seconds: of the whole command.
        outcome: what ``deploy --json`` printed.
        step: the step's name.
    """
    names = [one["name"] for one in outcome["steps"]]
    after = names.index(step) + 1
    return seconds - float(sum(one["seconds"] for one in outcome["steps"][after:]))


def _most(name: str, runs: Sequence[Run], key: str, unit: str, goal: float) -> Figure:
    return Figure(name, max(outcome[key] for _, outcome in runs), unit, goal)


def _speeds(name: str, runs: Sequence[Run]) -> list[Figure]:
    live = median(until(*run, "verify") for run in runs)
    tried = median(until(*run, "smoke") for run in runs)
    ended = median(seconds for seconds, _ in runs)
    return [
        live_figure(f"{name}: ", live),
        Figure(
            f"{name}: until the smoke test has passed",
            tried,
            "s",
            None,
            "a lesson is made by the new release",
        ),
        Figure(
            f"{name}: until the command ends",
            ended,
            "s",
            None,
            "watched, and the old containers ended",
        ),
    ]
