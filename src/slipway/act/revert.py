"""Put a release back, from nothing but its record on the host."""

from __future__ import annotations

import json

from slipway.act.services import check_services, up
from slipway.errors import DeployError
from slipway.hosts.engine import Doors
from slipway.ledger.records import compose_path, switch_current
from slipway.ledger.release import Release
from slipway.plan.draft import Draft
from slipway.plan.watch import expected
from slipway.stack.health import health_check

_SPARE_S = 120.0


def put_back(doors: Doors, app_dir: str, release: Release) -> None:
    """Apply a recorded release's own Compose file again and watch until it is well.

    Its images, config files and secret versions are still on the host: pruning comes last.

    Raises:
        DeployError: its file is gone, or its services don't get well.
        HostError: the host can't be reached.
    """
    file = compose_path(app_dir, release.id)
    text = doors.host.read(file)
    if text is None:
        raise DeployError(f"{file} is gone from {doors.host.name}", stage="revert")
    services = json.loads(text)["services"]
    standing = [name for name, body in services.items() if not body.get("profiles")]
    checks = [health_check(services[name]) for name in standing]
    limit = _SPARE_S + sum(check.deadline_s for check in checks if check)
    doors.report.step("revert", f"putting {release.id} back")
    up(doors, file, ("--remove-orphans",), limit)
    check_services(doors, expected(services, standing), stage="revert")
    switch_current(doors.host, app_dir, release.id)


def take_down(doors: Doors, draft: Draft) -> None:
    """End what a first deploy started; data stays.

    Raises:
        HostError: the host can't be reached, or Compose failed.
    """
    doors.report.step("revert", "taking the stack down")
    file = compose_path(draft.job.app_dir, draft.release.id)
    doors.engine.compose(file, ("down", "--remove-orphans", "--timeout", "30"), timeout=300)
