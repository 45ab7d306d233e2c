"""Plans and outcomes as text for people. Pure."""

from __future__ import annotations

from slipway.act.outcome import Outcome
from slipway.plan.outage import OUTAGE
from slipway.plan.values import Plan
from slipway.report import human_bytes, table


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
        _images(plan),
        "",
        table(rows, head=("service", "action", "reason", "downtime")),
    ]
    if plan.outage:
        lines += [
            "",
            f"{OUTAGE}:",
            f"  {', '.join(plan.outage)}",
        ]
    if plan.definitions:
        lines += ["", "networks and volumes of another definition:"]
        lines += [f"  {one.kind} {one.name}  {one.action}" for one in plan.definitions]
    if plan.register:
        lines += ["", f"TrueNAS is told of the app {plan.register}"]
    if plan.reloads:
        lines += ["", "secrets that are taken anew while the service runs:"]
        lines += [
            f"  {one.service}  {', '.join(one.secrets) or 'what it was not told of'}"
            for one in plan.reloads
        ]
    if plan.migrations:
        lines += ["", "migrations:"]
        for one in plan.migrations:
            stops = "what uses the database is stopped first" if one.downtime else ""
            lines.append(f"  {'  '.join(filter(None, (one.revision, one.message, stops)))}")
    if plan.snapshot:
        lines.append(f"  before them the snapshot {plan.snapshot} is taken")
    if plan.no_snapshot:
        lines.append(f"  no snapshot is taken before them: {plan.no_snapshot}")
    return "\n".join((*lines, *_lost(plan)))


def _images(plan: Plan) -> str:
    """How images get to the host."""
    if plan.pull is not None:
        size = human_bytes(plan.pull.bytes)
        return f"to pull {plan.pull.images} images from {plan.pull.registry}, at most {size}"
    return f"to send {human_bytes(plan.bytes_to_send)} before compression"


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
