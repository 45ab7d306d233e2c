"""Run cases one after the other on one host, and write what happened as a table.

python -m tests.functional.faults.matrix [PATTERN]
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.functional.faults import strikes
from tests.functional.faults.cases import CASES, Case
from tests.functional.faults.load import Load
from tests.functional.faults.place import Late, Place, make, until
from tests.functional.faults.strikes import ROOM
from tests.functional.pages import with_rows

from slipway.commandline import heed_endings

_END_S = 300.0
_NEWNET = 0x40000000
_HEAD = (
    "| fault | at step | live afterwards | whole after | failed requests | exit code |",
    "| --- | --- | --- | ---: | ---: | ---: |",
)


@dataclass(frozen=True)
class Seen:
    """What a case came to.

    Attributes:
        case: its name.
        fault: what happened.
        step: at which step.
        ended: ``old`` or ``new``: the release that is whole and serves; else what is wrong.
        well: whether all is as it must be.
        code: exit code of the deploy; negative for a signal.
        seconds: from the fault until a release was whole.
        asked: requests meanwhile.
        failed: those without the answer 200.
        jobs: jobs that were accepted.
        said: the last thing that the deploy said.
        lost: when requests failed, in seconds from the fault, and with which status; 0 for none.
        changed: services whose container is another one than before, with why the old one ended.
        log: what the host noted of the run, with seconds from its beginning.
    """

    case: str
    fault: str
    step: str
    ended: str
    well: bool
    code: int | None
    seconds: float
    asked: int
    failed: int
    jobs: int
    said: str
    lost: list[tuple[float, int]]
    changed: dict[str, str]
    log: list[str]


def run(place: Place, case: Case) -> Seen:
    """Put a deploy to a fault, and see what becomes of it. The place is whole before and after."""
    place.whole(60)
    old, before = place.live_version(), place.run()
    environment = {
        key: str(time.time_ns()) if value == "anew" else value
        for key, value in case.environment.items()
    }
    ids = _ids(place)
    case.before(place)
    load = Load(lambda: _into(place.init), place.address)
    code: int | None = None
    problems: list[str] = []
    began = time.monotonic()
    with load:
        time.sleep(0.5)
        deploying = place.begin("--json", **environment)
        try:
            if case.strike is not strikes.nothing:
                place.reached(deploying, before, case.step)
            began = time.monotonic()
            case.strike(place, deploying)
            if deploying.process.poll() is None:
                deploying.end(_END_S)
            code = deploying.process.returncode
            seconds = place.whole(case.slow_s) and time.monotonic() - began
            case.then(place)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            seconds = time.monotonic() - began
            problems.append(str(error) or traceback.format_exc())
        finally:
            deploying.kill()
            case.after(place)
    if case.codes and code not in case.codes:
        problems.append(f"exit code {code}")
    new = str(place.version)
    live = ""
    with contextlib.suppress(OSError):
        live = place.live_version()
    ended = {old: "old", new: "new"}.get(live, f"release {live}")
    if case.settles and ended != case.settles:
        problems.append(f"{ended} is live")
    if not problems:
        problems += _jobs(place, load)
    said = [line for line in deploying.text().splitlines() if line.strip()]
    shown = next((line for line in said if line.startswith("error:")), said[-1] if said else "")
    return Seen(
        case.name, case.fault, case.step, "; ".join(problems) or ended, not problems, code,
        seconds, load.asked, load.failed, len(load.jobs), shown[:400],
        [(round(at - began, 1), status) for at, status in load.lost],
        _changed(ids, place), _log(place),
    )  # fmt: skip


def _ids(place: Place) -> dict[str, str]:
    return {
        one["Config"]["Labels"]["com.docker.compose.service"]: one["Id"] + one["State"]["StartedAt"]
        for one in place.containers()
    }


def _changed(before: dict[str, str], place: Place) -> dict[str, str]:
    now = {}
    with contextlib.suppress(Late):
        now = _ids(place)
    return {
        service: "restarted" if now.get(service, "")[:64] == then[:64] else "another"
        for service, then in before.items()
        if now.get(service) != then
    }


def _log(place: Place) -> list[str]:
    events = place.events(place.run())
    return [
        f"{one['at'] - events[0]['at']:.1f} "
        + " ".join(str(value) for key, value in one.items() if key not in ("at", "number"))[:300]
        for one in events
    ]


def _jobs(place: Place, load: Load) -> list[str]:
    seen = ["?"]

    def done() -> bool:
        with contextlib.suppress(OSError, ValueError):
            seen[:] = load.amiss()
        return not seen

    try:
        until(done, 40, "every job is done", 0.5)
    except Late:
        return seen
    return []


def _into(pid: int) -> None:
    """Let this thread be in a host's network, so that it asks whatever becomes of the wire."""
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def prepared(folder: Path, name: str) -> Iterator[Place]:
    """A booted host with a live release, its disk in memory; removed at the end."""
    place = make(folder, name)
    disks = (place.places.docker, place.places.pool)
    try:
        for disk in disks:
            disk.mkdir(parents=True)
            argv = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "faults", str(disk)]
            subprocess.run(argv, check=True)
        place.boot()
        place.deploy()
        yield place
    finally:
        with contextlib.suppress(Late, OSError, AssertionError):
            place.crash()
        for disk in disks:
            subprocess.run(["umount", str(disk)], check=False, capture_output=True)
        place.site.inv("rehearsal.down", "--name", name)


def heal(place: Place) -> None:
    """Have a whole release again after a case that did not end well."""
    try:
        place.whole(5)
    except Late:
        place.boot()
        place.deploy()


def every(place: Place, cases: Sequence[Case], tell: Callable[[Seen], None]) -> list[Seen]:
    """Run cases in order."""
    found = []
    for case in cases:
        heal(place)
        found.append(run(place, case))
        tell(found[-1])
    return found


def rows(found: Sequence[Seen]) -> dict[tuple[str, str], str]:
    """A row in Markdown for each case, by fault and step."""
    made = {}
    for one in found:
        code = "killed" if one.code is not None and one.code < 0 else str(one.code)
        made[one.fault, one.step] = (
            f"| {one.fault} | {one.step} | {one.ended} | {one.seconds:.0f} s "
            f"| {one.failed} of {one.asked} | {code} |"
        )
    return made


def written(text: str, found: Sequence[Seen]) -> str:
    """The page with the rows of what was seen; those of other cases stay. Pure."""
    order = [(case.fault, case.step) for case in CASES]
    return with_rows(text, "faults", _HEAD, rows(found), order)


def main(argv: Sequence[str]) -> int:
    """Run the cases whose name fits a pattern, and write their rows."""
    heed_endings()
    root = Path(__file__).resolve().parents[3]
    pattern = re.compile(argv[0] if argv else "")
    cases = [case for case in CASES if pattern.search(case.name)]

    def tell(seen: Seen) -> None:
        sys.stdout.write(json.dumps(dataclasses.asdict(seen), ensure_ascii=False) + "\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        with prepared(Path(folder) / "checkout", f"faults-{secrets.token_hex(3)}") as place:
            found = every(place, cases, tell)
    page = root / "docs/reliability.md"
    page.write_text(written(page.read_text("utf-8"), found), "utf-8")
    return 0 if all(one.well for one in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
