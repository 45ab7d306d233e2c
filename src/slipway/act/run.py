"""Have a host carry out steps: the request, whoever is in the way, and how it ended as an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.act.attend import Attended, Turn, attend
from slipway.act.doors import Doors
from slipway.act.failure import ended
from slipway.errors import DeployError, SlipwayError
from slipway.ledger.release import Release
from slipway.ledger.runs import ALIVE, LOST, LastRun
from slipway.plan.step import Step
from slipway.plan.steps import record
from slipway.runner.login import KEY
from slipway.secret import Secret


@dataclass(frozen=True, slots=True)
class Errand:
    """What a host is asked to carry out.

    Attributes:
        id: of the run; letters, digits and hyphens, beginning with the time.
        what: for people, such as ``deploy 20261123-205101-ab12cd``.
        who: user and machine.
        release: the one that it is about, whose edge it goes by.
        live: what serves when it was undone, for people; None when nothing does.
        steps: what the host does.
        word: what a good end is called in the journal.
        intent: what else the journal says of it.
        point: the step from whose end on there is no way back.
        login: Docker's ``config.json`` for the registry that images come from; None for none. It is
            in the request on its way, and in nothing that is kept.
    """

    id: str
    what: str
    who: str
    release: Release
    live: str | None
    steps: tuple[Step, ...]
    word: str
    intent: Mapping[str, object]
    point: str = record.NAME
    login: Secret | None = None

    def request(self, doors: Doors) -> dict[str, Any]:
        """Its form for the runner."""
        since = doors.clock.now().isoformat()[:19] + "Z"
        login = {KEY: self.login.reveal()} if self.login is not None else {}
        return {
            **login,
            "format": 1,
            "run": self.id,
            "application": self.release.application,
            "project": self.release.project,
            **_engine(doors, self.release.application),
            "release": self.release.id,
            "edge": None if doors.only else dict(self.release.edge) or None,
            "holder": {"who": self.who, "what": self.what, "since": since},
            "steps": [step.to_json() for step in self.steps],
            "point": self.point,
            "checked": {one: one in self.release.checked for one in self.release.hashes},
            "word": self.word,
            "intent": dict(self.intent),
        }


def _engine(doors: Doors, application: str) -> dict[str, str]:
    """By what containers are seen and changed there: Docker, or what TrueNAS tells of an app."""
    return {"apps": application} if doors.only else {"docker": doors.docker}


def carry_out(doors: Doors, errand: Errand, turn: Turn | None = None) -> Attended:
    """Have the host carry out an errand, and be there until it has.

    Raises:
        HostError: it could not be started, or the connection is gone for good.
        DeployError: somebody else is at work there; or it failed, and what ran before runs again.
        DeployBroken: it failed, and what ran before could not be put back.
    """
    answer = doors.runner.start(errand.request(doors))
    if "busy" in answer:
        raise busy(doors.host.name, answer["busy"])
    attended = attend(doors, errand.id, turn)
    if error := ended(attended.end, errand.live):
        raise error
    if late := attended.end["late"]:
        doors.report.warn(f"the release is live, but {late['stage']} failed: {late['message']}")
    return attended


def clear(doors: Doors, last: LastRun | None, who: str, *, wait: bool) -> bool:
    """See to the latest run before a new one begins.

    One that goes on is attended when it is one's own, or waited for when that is wanted; a lost one
    is ended; how one ended that nobody heard of is told.

    Returns:
        Whether anything may have changed since the host was asked.

    Raises:
        DeployError: somebody else is at work there.
        Interrupted: somebody does not want to wait for it; it goes on.
    """
    if last is None or not last.open:
        return False
    about = f"`{last.what}` of {last.who}, begun {last.since}"
    if last.state == ALIVE:
        if last.who != who and not wait:
            raise busy(doors.host.name, {"who": last.who, "what": last.what, "since": last.since})
        doors.report.step("attach", f"{about}, goes on")
        _tell(doors, about, attend(doors, last.id, watched=about).end)
    elif last.state == LOST:
        doors.report.step("settle", f"{about}, was broken off")
        _tell(doors, about, attend(doors, last.id, watched=about).end)
    else:
        _tell(doors, about, last.end or {})
        doors.runner.follow(last.id, 0)
    return True


def _tell(doors: Doors, about: str, end: Mapping[str, Any]) -> None:
    if not end:
        return
    error: SlipwayError | None = ended(end, "what ran before")
    if error is None:
        doors.report.say(f"{about}, is done")
    else:
        doors.report.warn(f"{about}, failed: {error.message}")


def busy(host: str, holder: Mapping[str, Any]) -> DeployError:
    """Somebody else is at work."""
    who, what = holder.get("who", "somebody"), holder.get("what", "something")
    since = holder.get("since", "just now")
    if holder.get("ended"):
        return DeployError(
            f"`{what}` of {who}, begun {since}, gave no sign of life on {host} and was ended; "
            "nothing else was changed",
            hint="./inv deploy puts back first what that had begun",
            stage="lease",
        )
    return DeployError(
        f"{who} is busy on {host} with `{what}` since {since}; nothing was changed",
        hint="./inv deploy --wait begins when that has ended",
        stage="lease",
    )
