"""Make a release live, look at what is live, end it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from tasks.command import HOST, JSON, LOCKED, WAIT, command

if TYPE_CHECKING:
    from slipway.act.outcome import Result
    from slipway.app.target import Target
    from slipway.app.workspace import Workspace
    from slipway.secret import Secret


FROM = (
    "a registry that the host gets images from, such as registry.lan:5000/home "
    "(default: `registry` of the host, or else they are sent)"
)


@command(help={"host": HOST, "from": FROM, "locked": LOCKED, "wait": WAIT, "json": JSON})
def deploy(
    workspace: Workspace,
    host: str | None = None,
    from_: str = "",
    locked: bool = False,
    wait: bool = False,
    json: bool = False,
) -> Answer:
    """Make this checkout live on a host; go back if it fails."""
    return deployed(workspace, host, from_=from_, locked=locked, wait=wait)


def deployed(
    workspace: Workspace,
    host: str | None,
    *,
    locked: bool,
    wait: bool,
    from_: str = "",
    supplied: Mapping[str, Secret] | None = None,
    anew: Sequence[str] = (),
) -> Answer:
    """Deploy the checkout, with further secrets of the operator's or some generated anew."""
    from slipway.act.deploy import deploy as carry_out
    from slipway.app.pulling import pick_origin
    from slipway.app.workspace import new_token

    registry = pick_origin(workspace.entry(host), from_)
    images, target = workspace.ready_for(host, locked=locked)
    with target:
        wanted = workspace.wanted(target, images, supplied=supplied, anew=anew, registry=registry)
        origin = workspace.origin(registry)
        result = carry_out(wanted, target.doors, new_token(), wait=wait, origin=origin)
    return answer(target, result)


@command(
    help={
        "host": HOST,
        "to": "id of a release, or its beginning (default: the one that was live before)",
        "data": "the data too, as they were before the live release migrated them: what was "
        "written since is lost",
        "yes": "with --data: don't ask whether that is meant",
        "wait": WAIT,
        "json": JSON,
    }
)
def rollback(
    workspace: Workspace,
    host: str | None = None,
    to: str = "",
    data: bool = False,
    yes: bool = False,
    wait: bool = False,
    json: bool = False,
) -> Answer:
    """Go back to a release that the host still has."""
    import sys

    from slipway.app.checkout import maker
    from slipway.app.sure import make_sure
    from slipway.app.workspace import new_token
    from slipway.operate.rollback import roll_back

    with workspace.target(host) as target:
        doors = target.doors
        result = roll_back(
            doors,
            maker(),
            new_token(),
            to=to,
            data=data,
            wait=wait,
            sure=lambda: make_sure(doors.report, sys.stdin, said=yes),
        )
    return answer(target, result)


@command(
    help={"service": "which", "host": HOST, "wait": WAIT, "json": JSON}, positional=["service"]
)
def restart(
    workspace: Workspace,
    service: str,
    host: str | None = None,
    wait: bool = False,
    json: bool = False,
) -> Answer:
    """Start a service anew, beside the old if it can."""
    from slipway.app.checkout import maker
    from slipway.app.workspace import new_token
    from slipway.operate.restart import restart as start_anew

    with workspace.target(host) as target:
        result = start_anew(target.doors, maker(), new_token(), service, wait=wait)
    return answer(target, result)


@command(
    help={
        "set": "a service and how many containers it has, such as worker=3; as often as wanted",
        "host": HOST,
        "wait": WAIT,
        "json": JSON,
    },
    iterable=["set"],
)
def scale(
    workspace: Workspace,
    set: list[str],
    host: str | None = None,
    wait: bool = False,
    json: bool = False,
) -> Answer:
    """Have other numbers of containers, kept over deploys."""
    from slipway.app.checkout import maker
    from slipway.app.workspace import new_token
    from slipway.operate import scale as scales

    wanted = scales.parse_counts(set or ())
    with workspace.target(host) as target:
        if not wanted:
            counts = scales.read_counts(target.doors)
            return Answer(counts.to_json(), scales.counts_text(counts))
        result = scales.scale(target.doors, maker(), new_token(), wanted, wait=wait)
    return answer(target, result)


def answer(target: Target, result: Result) -> Answer:
    """What a change of a host comes to, for people and programs."""
    from slipway.app.present import outcome_text
    from slipway.operate.status import make_status, status_text

    status = make_status(target.host.name, result.release, result.containers)
    outcome = result.outcome
    return Answer(outcome.to_json(), status_text(status), outcome_text(outcome))


@command(
    help={
        "host": HOST,
        "from": FROM,
        "steps": "show what each step does, and what undoes it",
        "locked": LOCKED,
        "json": JSON,
    }
)
def plan(
    workspace: Workspace,
    host: str | None = None,
    from_: str = "",
    steps: bool = False,
    locked: bool = False,
    json: bool = False,
) -> Answer:
    """Show what a deploy would do, and do nothing."""
    from slipway.act.deploy import make_draft
    from slipway.act.guard import foresee
    from slipway.app.present import plan_text
    from slipway.app.present_steps import steps_text
    from slipway.app.pulling import pick_origin
    from slipway.plan.steps import steps as steps_of

    registry = pick_origin(workspace.entry(host), from_)
    images, target = workspace.ready_for(host, locked=locked, boot=False)
    with target:
        draft = make_draft(workspace.wanted(target, images, registry=registry), target.doors)
        foresee(target.doors, draft)
        if draft.plan.pull is not None and (origin := workspace.origin(registry)) is not None:
            origin(draft.transfer.images)
    value, text = draft.plan.to_json(), plan_text(draft.plan)
    if steps:
        todo = () if draft.unchanged else steps_of(draft)
        value["steps"] = [step.to_json() for step in todo]
        text = "\n".join(filter(None, (text, steps_text(todo))))
    return Answer(value, text)


@command(help={"host": HOST, "json": JSON})
def status(workspace: Workspace, host: str | None = None, json: bool = False) -> Answer:
    """Show what runs, and where it drifted."""
    from slipway.operate.status import read_status, status_text

    with workspace.target(host) as target:
        seen = read_status(target.doors)
    return Answer(seen.to_json(), status_text(seen))


@command(help={"host": HOST, "json": JSON})
def releases(workspace: Workspace, host: str | None = None, json: bool = False) -> Answer:
    """List a host's releases, newest first."""
    from slipway.act.seeing import see
    from slipway.operate.releases import listed, releases_json, releases_text

    with workspace.target(host) as target:
        found = listed(see(target.doors))
    return Answer(releases_json(found), releases_text(found))


@command(help={"host": HOST, "wait": WAIT, "json": JSON})
def down(
    workspace: Workspace, host: str | None = None, wait: bool = False, json: bool = False
) -> Answer:
    """Stop the stack; data, secrets, images and releases stay."""
    from slipway.app.checkout import maker
    from slipway.app.workspace import new_token
    from slipway.operate.down import down as take_down

    with workspace.target(host) as target:
        ended = take_down(target.doors, maker(), new_token(), wait=wait)
    talk = f"{ended.release.id} is down; data was kept. Bring it back with ./inv deploy"
    return Answer(ended.to_json(), talk=talk)
