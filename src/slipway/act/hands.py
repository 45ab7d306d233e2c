"""Carry out single steps of a deploy. The order is :mod:`slipway.act.deploy`'s."""

from __future__ import annotations

import json

from slipway.act.services import check_services, compose_up
from slipway.act.smoke import run_smoke, smoke_secrets
from slipway.act.watch import ask_health
from slipway.errors import DeployError
from slipway.hosts.engine import Doors
from slipway.ledger.records import compose_path, read_records, switch_current, write_release
from slipway.ledger.secrets import write_secrets
from slipway.plan import preflight
from slipway.plan.draft import Draft
from slipway.plan.steps import Belief
from slipway.plan.values import PendingMigration
from slipway.plan.waste import find_waste, remove_waste
from slipway.plan.watch import expected
from slipway.report import human_bytes

_LOG_LINES = 10
_MIGRATE_S = 900.0
_ASK_S = 120.0
# $1 the data path, then NAME MODE OWNER of each folder. One that is there is left as it is.
_DATA = """set -eu
cd -- "$1" 2>/dev/null || { mkdir -p -- "$1"; cd -- "$1"; }
shift
while [ "$#" -gt 0 ]; do
    if [ ! -d "$1" ]; then mkdir -- "$1"; chmod -- "$2" "$1"; chown -- "$3:$3" "$1"; fi
    shift 3
done
"""


class PlanIsStale(DeployError):
    """The host changed between planning and acting."""


def check_belief(doors: Doors, app_dir: str, believed: Belief) -> None:
    """Ask again what the plan was made on.

    Raises:
        PlanIsStale: it isn't so any more; this step did nothing.
    """
    current = read_records(doors.host, app_dir).current
    if current != believed.current:
        raise PlanIsStale(
            f"{current or 'no release'} is live on {doors.host.name} now; the plan was made for "
            f"{believed.current or 'none'}",
            hint="deploy again: the plan is made anew",
        )
    if believed.containers is None:
        return
    seen = tuple(
        sorted((c.service, c.id, c.image_id) for c in doors.engine.containers() if not c.one_off)
    )
    if seen != believed.containers:
        changed = sorted({one[0] for one in set(seen) ^ set(believed.containers)})
        raise PlanIsStale(
            f"containers on {doors.host.name} changed since the plan was made: "
            f"{', '.join(changed)}",
            hint="deploy again: the plan is made anew",
        )


def do_preflight(doors: Doors, draft: Draft) -> None:
    """Refuse what can't work; see :mod:`slipway.plan.preflight`."""
    engine, job = doors.engine.facts(), draft.job
    own = doors.engine.containers()
    facts = preflight.read_facts(
        doors.host,
        job.app_dir,
        docker=engine.docker,
        compose=engine.compose,
        docker_root=engine.root,
        own_ports=frozenset(port for one in own if one.state == "running" for port in one.ports),
        made_from=frozenset(one.file for one in own if one.file),
    )
    ports = preflight.published_ports(job.stack.services, job.stack.standing)
    needs = preflight.Needs(draft.plan.bytes_to_send, frozenset(ports), job.app_dir)
    preflight.check(doors.host.name, facts, needs)


def do_transfer(doors: Doors, draft: Draft) -> int:
    """Send images; returns the bytes sent."""
    transfer = draft.transfer
    progress = doors.report.progress(
        ", ".join(image.role for image in transfer.images), transfer.bytes_to_send
    )
    try:
        return doors.engine.load(transfer, progress)
    finally:
        progress.done()


def do_secrets(doors: Doors, draft: Draft) -> None:
    """Put fresh secret versions on the host."""
    written = write_secrets(doors.host, draft.job.app_dir, draft.choices, draft.job.supplied)
    doors.report.say(f"  {', '.join(written)}")


def do_files(doors: Doors, draft: Draft) -> None:
    """Put config files, data folders and the release's own folder on the host."""
    job, host = draft.job, doors.host
    for name, file in sorted(job.files.items()):
        path = file.path(job.app_dir)
        if host.read(path) != job.contents[name]:
            host.put(path, job.contents[name], mode=0o444)
    folders: list[str] = []
    for folder in job.stack.data:
        folders += [folder.name, f"{folder.mode:04o}", str(folder.owner)]
    host.run(("sh", "-c", _DATA, "data", job.data_dir, *folders), timeout=60)
    write_release(host, job.app_dir, draft.release, draft.rendered.text)


def do_migrate(doors: Doors, draft: Draft) -> tuple[PendingMigration, ...]:
    """Start what the migration needs, ask what is pending, and run it.

    Returns:
        The migrations that ran.
    """
    stack, migration = draft.job.stack, draft.job.stack.migration
    file = compose_path(draft.job.app_dir, draft.release.id)
    needed = stack.dependencies(migration.service)
    if needed:
        compose_up(doors, draft, file, needed)
        check_services(doors, expected(stack.services, needed), stage="migrate")
    run = ("run", "--rm", "--no-deps", "-T", migration.service)
    pending: tuple[PendingMigration, ...] | None = None
    if migration.plan:
        done = doors.engine.compose(file, (*run, *migration.plan), timeout=_ASK_S, check=False)
        if not done.ok:
            raise _failed_migration("could not be planned", done.error_text or done.text)
        pending = parse_pending(done.text)
        for one in pending:
            doors.report.say(f"  {one.revision}  {one.message}")
    if pending == ():
        doors.report.say("  nothing to migrate")
        return ()
    done = doors.engine.compose(file, (*run, *migration.command), timeout=_MIGRATE_S, check=False)
    if not done.ok:
        raise _failed_migration("failed", done.error_text or done.text)
    return pending or ()


def _failed_migration(how: str, output: str) -> DeployError:
    return DeployError(
        f"the migration {how}", details=output.strip().splitlines()[-_LOG_LINES:], stage="migrate"
    )


def parse_pending(text: str) -> tuple[PendingMigration, ...]:
    """Read what the stack's migration plan printed: ``[{revision, message}]``.

    Raises:
        DeployError: it is something else.
    """
    try:
        return tuple(
            PendingMigration(str(one["revision"]), str(one["message"])) for one in json.loads(text)
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DeployError(
            "the migration plan is not the JSON it should be: [{revision, message}]",
            details=text.splitlines()[:_LOG_LINES],
            stage="migrate",
        ) from error


def do_verify(doors: Doors, draft: Draft) -> None:
    """Every service, then the stack through its front door, then a real job."""
    stack, url = draft.job.stack, draft.job.url
    check_services(doors, expected(stack.services, stack.standing), stage="verify")
    ask_health(doors.http, doors.clock, url + stack.verify_path)
    if stack.smoke.command:
        doors.report.say("  smoke job")
        given = smoke_secrets(doors.host, draft.job.app_dir, stack.smoke, draft.release.secrets)
        run_smoke(doors.shell, stack.smoke.command, {"url": url}, doors.root, given)


def do_record(doors: Doors, draft: Draft) -> None:
    """Make the release the live one."""
    switch_current(doors.host, draft.job.app_dir, draft.release.id)


def do_prune(doors: Doors, draft: Draft) -> None:
    """Remove what no kept release needs."""
    app_dir, name = draft.job.app_dir, draft.job.stack.application
    records = read_records(doors.host, app_dir)
    found = find_waste(doors.host, doors.engine, name, app_dir, records)
    if found.empty:
        return
    stayed = remove_waste(doors.host, doors.engine, app_dir, found)
    doors.report.say(
        f"  {len(found.references) - len(stayed)} image tags, {len(found.paths)} files, "
        f"{len(found.releases)} old releases: {human_bytes(found.bytes)} freed"
    )
