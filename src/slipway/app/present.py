"""Plans and outcomes as text for people. Pure."""

from __future__ import annotations

from slipway.act.outcome import Outcome
from slipway.plan.values import Plan
from slipway.report import human_bytes, table


def plan_text(plan: Plan) -> str:
    """A plan for people: what is sent, what changes, what it costs."""
    if plan.empty:
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
    if plan.migrations:
        lines += ["", "migrations:"]
        lines += [f"  {one.revision}  {one.message}".rstrip() for one in plan.migrations]
    return "\n".join(lines)


def outcome_text(outcome: Outcome) -> str:
    """An outcome for people, in one line."""
    if outcome.outcome == "unchanged":
        return (
            f"unchanged: {outcome.release} is live at {outcome.url} "
            f"(0 bytes sent, 0 containers touched, {outcome.seconds:.1f} s)"
        )
    return (
        f"deployed {outcome.release} at {outcome.url} ({human_bytes(outcome.bytes_sent)} sent, "
        f"{outcome.containers_touched} containers touched, {outcome.seconds:.1f} s)"
    )
