"""Steps as text for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.plan.actions import (
    Action,
    Ask,
    Check,
    Compose,
    Count,
    Hand,
    Load,
    Remove,
    Retire,
    Roll,
    Room,
    Run,
    Soak,
    Start,
    Watch,
    Write,
)
from slipway.plan.pulling import Pull
from slipway.plan.registering import Redeploy, Register, Stop, Unregister
from slipway.plan.snapshotting import Forget, Revert, Rewind, Snapshot
from slipway.plan.step import Step
from slipway.report import human_bytes
from slipway.runner.roll import Rolling


def steps_text(steps: Sequence[Step]) -> str:
    """Steps for people: what each does and is undone by, and where."""
    lines: list[str] = []
    for step in steps:
        lines += ["", f"{step.name}  {step.about}"]
        lines += [f"  {one.where:4}  {action_text(one)}" for one in step.do]
        lines += [f"  undo  {action_text(one)}" for one in step.undo]
        if step.reason:
            lines.append(f"  note  {step.reason}")
    return "\n".join(lines)


def action_text(action: Action) -> str:
    """An action for people, in one line."""
    match action:
        case Load():
            return f"load {', '.join(action.references)} ({human_bytes(action.bytes_to_send)})"
        case Pull():
            images = ", ".join(one.source for one in action.images)
            return f"pull {images} ({human_bytes(action.bytes)})"
        case Write():
            return f"write {', '.join(entry.path for entry in action.entries)}"
        case Remove():
            return f"remove {', '.join((*action.images, *action.networks, *action.paths))}"
        case Compose():
            return f"compose {' '.join(action.arguments)} (of {action.release})"
        case Start():
            return f"start {_names(action.services)} beside the old (of {action.release})"
        case Roll():
            return f"roll {_names(action.services)} (to {action.release})"
        case Count():
            return "count the requests that the edge has"
        case Room():
            return f"see whether the edge has places for {_names(action.services)}"
        case Retire():
            return f"end what is left of the old {_names(action.services)}"
        case Soak():
            return f"watch for {action.seconds:g} s, at most {action.errors:.0%} errors"
        case Check():
            return f"check {', '.join(name for name, _ in action.checks)}"
        case Hand():
            takes = ", which takes it" if action.command else ""
            return f"hand {', '.join(path for _, path in action.files)} to {action.service}{takes}"
        case Watch():
            return f"watch {', '.join(one.service for one in action.expected)}"
        case Ask():
            return f"ask {action.url}"
        case Register():
            return f"tell TrueNAS of the app {action.app}"
        case Unregister():
            return f"have TrueNAS forget the app {action.app}"
        case Redeploy():
            return f"have TrueNAS start the app {action.app} anew"
        case Stop():
            return f"have TrueNAS stop the app {action.app}"
        case Revert():
            return f"make the data what they were at {action.snapshot}"
        case Snapshot():
            return f"take the snapshot {action.snapshot}"
        case Forget():
            return f"destroy the snapshots {', '.join(map(str, action.snapshots))}"
        case Rewind():
            return f"make {', '.join(action.paths)} what it was at {action.name}"
        case Run():
            return f"run {' '.join(action.argv)}"


def _names(services: Sequence[Rolling]) -> str:
    return ", ".join(one.service for one in services)
