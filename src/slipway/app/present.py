"""Plans, steps and outcomes as text for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.act.outcome import Outcome
from slipway.plan.actions import (
    Action,
    Ask,
    Check,
    Compose,
    Count,
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
from slipway.plan.step import Step
from slipway.plan.values import Plan
from slipway.report import human_bytes, table
from slipway.runner.roll import Rolling


def plan_text(plan: Plan) -> str:
    """A plan for people: what is sent, what changes, what it costs."""
    if plan.empty and not plan.lost:
        return f"{plan.release} is live; nothing to do"
    rows = [
        (one.service, one.action, one.reason, f"{one.downtime_s:g} s" if one.downtime_s else "-")
        for one in plan.containers
    ]
    lines = [
        f"release {plan.release}",
        f"to send {human_bytes(plan.bytes_to_send)} before compression",
        "",
        table(rows, head=("service", "action", "reason", "downtime")),
    ]
    if plan.definitions:
        lines += ["", "networks and volumes of another definition:"]
        lines += [f"  {one.kind} {one.name}  {one.action}" for one in plan.definitions]
    if plan.migrations:
        lines += ["", "migrations:"]
        for one in plan.migrations:
            stops = "what uses the database is stopped first" if one.downtime else ""
            lines.append(f"  {'  '.join(filter(None, (one.revision, one.message, stops)))}")
    return "\n".join((*lines, *_lost(plan)))


def _lost(plan: Plan) -> list[str]:
    """What of the live release is lost, and what that means."""
    if not plan.lost:
        return []
    lines = ["", "the host has lost of the live release:"]
    lines += [f"  {one}  {'is written anew' if one.anew else 'stays lost'}" for one in plan.lost]
    if plan.one_way:
        names = ", ".join(plan.services("recreate", "remove"))
        lines.append(f"a deploy is refused: {names} could not be brought back")
    return lines


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
        case Watch():
            return f"watch {', '.join(one.service for one in action.expected)}"
        case Ask():
            return f"ask {action.url}"
        case Run():
            return f"run {' '.join(action.argv)}"


def _names(services: Sequence[Rolling]) -> str:
    return ", ".join(one.service for one in services)


def outcome_text(outcome: Outcome) -> str:
    """An outcome for people, in one line."""
    if outcome.outcome == "unchanged":
        return (
            f"unchanged: {outcome.release} is live at {outcome.url} "
            f"(0 bytes sent, 0 containers touched, {outcome.seconds:.1f} s)"
        )
    words = {"rolled back": "rolled back to"}
    done = words.get(outcome.outcome, outcome.outcome)
    subject = f"{outcome.subject} of " if outcome.subject else ""
    return (
        f"{done} {subject}{outcome.release} at {outcome.url} "
        f"({human_bytes(outcome.bytes_sent)} sent, "
        f"{outcome.containers_touched} containers touched, "
        f"{outcome.seconds:.1f} s)"
    )
