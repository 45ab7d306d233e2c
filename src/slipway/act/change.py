"""Carry out a deploy that changes something.

Apart from :mod:`slipway.act.deploy`, which decides whether there is anything to do: what this needs
takes longer to import than a host takes to say that nothing is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from slipway.act.attend import Attended
from slipway.act.contents import Contents
from slipway.act.doors import Doors
from slipway.act.failure import cause, untouched
from slipway.act.guard import check_host
from slipway.act.interpret import Interpreter
from slipway.act.outcome import Outcome, Result
from slipway.act.progress import Progress
from slipway.act.run import Errand, carry_out
from slipway.act.seeing import see_after
from slipway.ahead import Ahead
from slipway.errors import Interrupted, SlipwayError
from slipway.hosts.delta import LIMIT
from slipway.images.values import Image
from slipway.plan.draft import Draft
from slipway.plan.step import Step, asked
from slipway.plan.steps import steps
from slipway.plan.steps.stay import serving
from slipway.secret import Secret

Origin = Callable[[Sequence[Image]], Secret | None]
"""Sees that a registry has images, and gives what the host shows there: a Docker's ``config.json``,
or None for nobody.

Raises:
    HostError: it lacks some, or can't be asked.
"""


def change(progress: Progress, planned: Draft, token: str, origin: Origin | None = None) -> Result:
    """Carry out what was planned: this machine's part, then the host's.

    Args:
        progress: what was done before.
        planned: what is to be done.
        token: letters and digits that no other deploy uses.
        origin: of the registry that the host gets images from; None where they are sent to it.

    Raises:
        HostError, DeployError, DeployBroken: as :func:`slipway.act.deploy.deploy` says.
    """
    doors, release = progress.doors, planned.release
    interpreter = Interpreter(doors, Contents(planned, doors.folder), planned.transfer)
    mine, theirs = asked(steps(planned))
    login = _prepare(progress, planned, mine, interpreter, origin)
    errand = Errand(
        id=f"{release.id}-{token[:6]}",
        what=f"deploy {release.id}",
        who=planned.wanted.who,
        release=release,
        live=serving(planned),
        steps=theirs,
        word="deployed",
        intent={"who": planned.wanted.who, "plan": planned.plan.to_json()},
        login=login,
    )
    actions = {step.name: step.do for step in theirs}
    attended = carry_out(
        doors, errand, lambda step, index: interpreter.carry_out(actions[step][index : index + 1])
    )
    containers = see_after(doors, release)
    outcome = outcome_of(progress, planned, attended, "deployed", interpreter.bytes_sent)
    return Result(outcome, planned.counted, containers)


def outcome_of(
    progress: Progress, planned: Draft, attended: Attended, word: str, sent: int
) -> Outcome:
    """What a run did that ended well.

    Args:
        progress: of this machine.
        planned: what was planned.
        attended: what was heard of the host.
        word: what it is called.
        sent: image bytes that went over the wire.
    """
    return Outcome(
        planned.release.id,
        word,
        planned.wanted.url,
        sent,
        planned.plan.touched,
        progress.seconds,
        (*progress.times, *attended.times),
        progress.doors.host.total,
        predicted_s=planned.plan.downtimes,
        downtime_s=attended.end["downtime_s"],
        failed_over=tuple(attended.end["failed_over"]),
        resumed=attended.resumed,
    )


def warn_of_losses(doors: Doors, planned: Draft) -> None:
    """Say what of the live release the host has no more, and what that means."""
    for one in planned.plan.lost:
        after = "it is written anew" if one.anew else "what runs of it can be kept, not made anew"
        doors.report.warn(f"of the live release {doors.host.name} has lost {one}: {after}")


def _prepare(
    progress: Progress,
    planned: Draft,
    mine: Sequence[Step],
    interpreter: Interpreter,
    origin: Origin | None,
) -> Secret | None:
    """What is done before the host is asked to begin: nothing that runs is touched by it.

    Returns:
        What the host shows the registry that it gets images from.
    """
    doors, login = progress.doors, None
    warn_of_losses(doors, planned)
    try:
        doors.report.step("preflight", "can the host take it?")
        with _stage("preflight"):
            progress.timed("preflight", lambda: check_host(doors, planned))
            if origin is not None and planned.plan.pull is not None:
                login = origin(planned.transfer.images)
        if planned.plan.pull is None and 0 < planned.transfer.bytes_to_send <= LIMIT:
            _beside(progress, mine, interpreter)
        else:
            _in_turn(progress, mine, interpreter)
    except SlipwayError as error:
        raise untouched(error) from error
    return login


def _in_turn(progress: Progress, steps: Sequence[Step], interpreter: Interpreter) -> None:
    """One step after the other."""
    for step in steps:
        progress.doors.report.step(step.name, step.about)
        _carry_out(progress, step, interpreter)


def _beside(progress: Progress, steps: Sequence[Step], interpreter: Interpreter) -> None:
    """Send few images, and meanwhile write what does not depend on them.

    Of many that is not worth it: a line that breaks on their long way would fail what is beside,
    and whatever is wrong with that would be told at their end only.
    """
    transfer, *rest = steps
    for step in steps:
        progress.doors.report.step(step.name, step.about)
    aside = Progress(progress.doors, progress.started)

    def write() -> None:
        for step in rest:
            _carry_out(aside, step, interpreter)

    written = Ahead(write)
    try:
        _carry_out(progress, transfer, interpreter)
    except Interrupted:
        raise
    except SlipwayError:
        with contextlib.suppress(SlipwayError):  # the first step that failed is told
            written.answer()
        raise
    with _stage(rest[0].name if rest else transfer.name):
        written.answer()
    progress.times += aside.times


def _carry_out(progress: Progress, step: Step, interpreter: Interpreter) -> None:
    with _stage(step.name):
        progress.timed(step.name, partial(interpreter.carry_out, step.do))


@contextlib.contextmanager
def _stage(name: str) -> Iterator[None]:
    """Whatever goes wrong becomes an error of ours, and of this step unless it names another."""
    try:
        yield
    except (SlipwayError, OSError, KeyboardInterrupt) as caught:
        error = cause(caught)
        error.stage = error.stage or name
        raise error from caught
