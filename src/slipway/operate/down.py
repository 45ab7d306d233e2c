"""End the stack; data, secrets, images and releases stay."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.act.attend import Attended
from slipway.act.doors import Doors
from slipway.act.project import of_live
from slipway.act.run import Errand, carry_out
from slipway.ledger.release import Release
from slipway.operate.standing import compose_of, live_draft, live_of, observe
from slipway.plan.ending import NAME, Ending, steps, waves


@dataclass(frozen=True, slots=True)
class Ended:
    """What was ended.

    Attributes:
        release: the one that was live.
        services: in the order in which they were ended.
        requests: how many the edge had when that began; None where there is no edge.
    """

    release: Release
    services: tuple[Ending, ...]
    requests: int | None

    def to_json(self) -> dict[str, object]:
        """What ``down --json`` prints."""
        return {
            "release": self.release.id,
            "services": [one.to_json() for one in self.services],
            "requests": self.requests,
        }


def down(doors: Doors, who: str, token: str, *, wait: bool = False) -> Ended:
    """End the stack, one after the other; interrupted or failed, it is brought up again.

    Raises:
        DeployError: nothing is deployed, or somebody else is at work there, or it failed.
    """
    doors.report.step("plan", doors.host.name)
    doors = of_live(doors, doors.folder.read().records.live)
    seen = observe(doors, who, wait=wait)
    live = live_of(doors, seen.memory.records)
    draft = live_draft(doors, who, seen, compose_of(doors, live), ends=True)
    errand = Errand(
        id=f"{doors.clock.now():%Y%m%d-%H%M%S}-down-{token[:6]}",
        what="down",
        who=who,
        release=live,
        live=live.id,
        steps=steps(draft),
        word="down",
        intent={"who": who, "down": True},
        point=NAME,
    )
    attended: Attended = carry_out(doors, errand)
    services = tuple(one for wave in waves(draft.wanted.stack) for one in wave)
    return Ended(live, services, attended.requests)
