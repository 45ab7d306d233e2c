"""One run: the steps in their order, and the way back. What is done stands in actions.

A run can be gone on with: :func:`settle` reads what an ended process had begun, and finishes a
release that was live already, or goes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.runner.carry import Carrier, changes
from slipway.runner.containers import fingerprint
from slipway.runner.doors import Doors
from slipway.runner.failure import Cause, Failed
from slipway.runner.gaps import gaps
from slipway.runner.login import Login

Json = Mapping[str, Any]

_DOCKER_TRIES = 5


@dataclass
class Run:
    """A run of steps.

    Attributes:
        request: what was asked: ``steps``, ``edge``, ``live`` (id of the release before, or None),
            ``checked`` (service to whether it has a health check) and ``point`` (the step from
            whose end on there is no way back).
        doors: what it acts through.
        begun: names of steps that were begun, in order.
        login: to the registry that images come from; it is in no request that is kept.
    """

    request: Json
    doors: Doors
    begun: list[str] = field(default_factory=list)
    login: Login | None = None

    def __post_init__(self) -> None:
        self._carrier = Carrier(self.doors, self.request["edge"], login=self.login)

    def carry_out(self, *, past: bool = False) -> dict[str, Any]:
        """Do every step; on failure go back as far as anything was touched.

        Args:
            past: whether there is no way back from the first one on.

        Returns:
            How it ended: ``outcome`` (``done``, ``untouched``, ``undone`` or ``broken``), ``cause``
            and ``second`` (that of the way back), ``late`` (what failed once there was no way
            back), ``failed_over``, ``absent``, ``downtime_s`` (service to the seconds in which it
            did not answer).
        """
        try:
            before = self.doors.docker.containers()
            ended_once(self.doors)
            events = self.doors.docker.events()
        except Failed as failed:
            return self._end("untouched", cause=failed.cause)
        end = self._through(past)
        now, checked = self.doors.clock.now(), self.request["checked"]
        end["downtime_s"] = gaps(before, events.end(), checked, now)
        return end

    def _through(self, past: bool) -> dict[str, Any]:
        stage = ""
        try:
            if past:
                self.doors.listener.ignore()
            for step in self.request["steps"]:
                stage = step["name"]
                self._begin(step)
                self._carrier.carry_out(stage, step["do"])
                self.doors.listener.tell("done", step=stage)
                if stage == self.request["point"]:
                    past = True
                    self.doors.listener.ignore()
        except Exception as caught:  # whatever happens on a host, what ran before runs again
            cause = _cause(caught, stage)
            if past:
                return self._end("done", late=cause)
            return self.undone(cause)
        return self._end("done")

    def _begin(self, step: Json) -> None:
        self.doors.listener.heed()
        if step["belief"] is not None:
            check_belief(self.doors, step["belief"])
        self.doors.listener.tell("step", name=step["name"], about=step["about"])
        self.begun.append(step["name"])

    def undone(self, cause: Cause) -> dict[str, Any]:
        """Carry out the undo of the steps that were begun; the result is that of a run.

        One that changes what runs, and has no undo, may have done a part of it.
        """
        actions = way_back(self.request["steps"], self.begun)
        if not actions:
            left = one_way(self.request["steps"], self.begun)
            if not left:
                return self._end("untouched", cause=cause)
            second = Cause(f"nothing undoes `{'`, `'.join(left)}`", stage="back")
            return self._end("broken", cause=cause, second=second)
        self.doors.listener.ignore()
        self.doors.listener.tell("back", message=cause.message, stage=cause.stage)
        try:
            # A daemon that was killed is started again by the host; until then nothing can go back.
            self.doors.docker.containers()
            ended_once(self.doors)
            Carrier(self.doors, self.request["edge"]).carry_out("back", actions)
        except Exception as caught:  # as above: it has to be told
            return self._end("broken", cause=cause, second=_cause(caught, "back"))
        return self._end("undone", cause=cause)

    def left(self, cause: Cause, revert: Json) -> dict[str, Any]:
        """Leave things as they are: the way back would make the data what they were.

        Since then the new release may have served, for days, and what was written would be lost.
        """
        snapshot = f"{revert['dataset']}@{revert['name']}"
        second = Cause(
            f"the data stay as they are, for they may have been written to since {snapshot}",
            hint="./inv deploy goes forward from there",
            stage="back",
        )
        return self._end("broken", cause=cause, second=second)

    def _end(
        self,
        outcome: str,
        *,
        cause: Cause | None = None,
        second: Cause | None = None,
        late: Cause | None = None,
    ) -> dict[str, Any]:
        return {
            "outcome": outcome,
            "cause": cause.to_json() if cause else None,
            "second": second.to_json() if second else None,
            "late": late.to_json() if late else None,
            "failed_over": self._carrier.failed_over,
            "absent": self._carrier.absent,
            "downtime_s": {},
        }


def settle(request: Json, doors: Doors, events: Sequence[Json]) -> dict[str, Any]:
    """End a run whose process is gone.

    Args:
        request: what was asked of it.
        doors: what to act through.
        events: what it had noted.

    Returns:
        As for :meth:`Run.carry_out`.

    Raises:
        Failed: Docker does not answer; nothing was done.
    """
    _awaited(doors)
    begun = [event["name"] for event in events if event["event"] == "step"]
    finished = [event["step"] for event in events if event["event"] == "done"]
    run = Run(request, doors, begun)
    if request["point"] in finished:
        left = [step for step in request["steps"] if step["name"] not in finished]
        return Run({**request, "steps": left}, doors).carry_out(past=True)
    cause = Cause("the host was restarted, or the process that deployed was ended", kind="lost")
    reverted = [one for one in way_back(request["steps"], begun) if one["action"] == "revert"]
    if reverted:
        return run.left(cause, reverted[0])
    return run.undone(cause)


def _awaited(doors: Doors) -> None:
    """Wait for Docker, which a host that has just booted may take minutes to start."""
    for left in reversed(range(_DOCKER_TRIES)):
        try:
            doors.docker.containers()
            return
        except Failed:
            if not left:
                raise


def ended_once(doors: Doors) -> None:
    """End what a run began in containers of their own, such as a migration, and tell of it.

    Nobody waits for it any more, and what it does later would undo what comes now.

    Raises:
        Failed: one can't be ended.
    """
    count = doors.docker.end_once()
    if count:
        what = "a one-off container" if count == 1 else f"{count} one-off containers"
        doors.listener.tell("say", text=f"  {what} of a run that was broken off: ended")


def check_belief(doors: Doors, belief: Json) -> None:
    """See whether the host is as the plan takes it to be.

    Raises:
        Failed: it isn't; its kind is ``stale``.
    """
    current = doors.folder.current()
    if current != belief["current"]:
        raise Failed(
            f"{current or 'no release'} is live now; the plan was made for "
            f"{belief['current'] or 'none'}",
            hint="deploy again: the plan is made anew",
            kind="stale",
        )
    if belief["containers"] is None:
        return
    believed = {tuple(one) for one in belief["containers"]}
    seen = set(fingerprint(doors.docker.containers()))
    if seen != believed:
        changed = sorted({one[0] for one in seen ^ believed})
        raise Failed(
            f"containers changed since the plan was made: {', '.join(changed)}",
            hint="deploy again: the plan is made anew",
            kind="stale",
        )


def way_back(steps: Sequence[Json], begun: Sequence[str]) -> list[Json]:
    """The undo of the steps that were begun, the last one's first, each action once. Pure."""
    actions: list[Json] = []
    for step in reversed(steps):
        if step["name"] in begun:
            actions += [action for action in step["undo"] if action not in actions]
    return actions


def one_way(steps: Sequence[Json], begun: Sequence[str]) -> list[str]:
    """The steps that were begun, change what runs and have no undo. Pure."""
    return [
        step["name"]
        for step in steps
        if step["name"] in begun and not step["undo"] and any(map(changes, step["do"]))
    ]


def _cause(error: BaseException, stage: str) -> Cause:
    if isinstance(error, Failed):
        cause = error.cause
    else:
        cause = Cause(f"the host: {type(error).__name__}: {error}")
    return Cause(cause.message, cause.details, cause.hint, stage, cause.kind)
