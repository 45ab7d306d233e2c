"""A run from its beginning to its end, in a process that outlives the connection."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from slipway.runner.boot import AtBoot, settling
from slipway.runner.datasets import HostDatasets
from slipway.runner.docker import HostDocker
from slipway.runner.doors import Docker, Doors
from slipway.runner.failure import Failed
from slipway.runner.host import HostClock, HostFolder
from slipway.runner.lease import Lease
from slipway.runner.listener import SpoolListener
from slipway.runner.login import Login, apart, forget_logins
from slipway.runner.nasdocker import NasDocker
from slipway.runner.register import HostNas
from slipway.runner.run import Run, settle
from slipway.runner.spool import Spool, last
from slipway.runner.sweep import booted_since, sweep

_JOURNAL = "journal.jsonl"
_KEPT = 5


def start(app_dir: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Begin a run in a process of its own, which outlives the connection.

    Returns:
        ``{"started": run}``, ``{"busy": who holds the lease}``, or ``{"failed": why}``.
    """
    request, login = apart(request)
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        try:
            _alone(app_dir, request, login, writer)
        except OSError as error:
            with contextlib.suppress(OSError):  # told already that it began
                os.write(writer, json.dumps({"failed": str(error)}).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as answers:
        text = answers.read()
    if not text:
        raise SystemExit("the run ended before it began")
    answer: Mapping[str, Any] = json.loads(text)
    return answer


def _alone(app_dir: str, request: Mapping[str, Any], login: Login | None, writer: int) -> None:
    """The process of a run: lease, steps, end."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nowhere, number)
    lease = Lease(app_dir)
    holder = lease.take(request["holder"])
    if holder is not None and lease.outlive():
        # What it had begun is ended first, at the next contact.
        holder = {**holder, "ended": True}
    spool = Spool(app_dir, request["run"])
    if holder is None:
        sweep(app_dir)
        forget_logins(request["project"], app_dir)
        spool.make(request)
        spool.touch("heard")
        _prune(os.path.dirname(os.path.abspath(sys.argv[0])))
    answer = {"busy": holder} if holder is not None else {"started": spool.run}
    errors = os.open(os.path.join(spool.path, "errors") if holder is None else os.devnull,
                     os.O_WRONLY | os.O_CREAT, 0o600)  # fmt: skip
    os.dup2(errors, 2)
    os.write(writer, json.dumps(answer).encode())
    os.close(writer)
    if holder is None:
        at_boot = AtBoot(request["application"], app_dir)
        at_boot.arm(settling(app_dir))
        try:
            _carried_out(app_dir, spool, request, login)
            at_boot.disarm()
        finally:
            lease.give_up()


def _prune(folder: str) -> None:
    """Of the runner's own file, keep the latest versions only."""
    files = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".pyz")]
    for path in sorted(files, key=os.path.getmtime)[:-_KEPT]:
        os.unlink(path)


def _carried_out(
    app_dir: str, spool: Spool, request: Mapping[str, Any], login: Login | None
) -> None:
    doors = _doors(app_dir, spool, request)
    began = time.monotonic()
    _journal(doors, journal_lines(request)[0]())
    end = Run(request, doors, login=login).carry_out()
    _ended(spool, doors, request, end, time.monotonic() - began)


def _ended(
    spool: Spool, doors: Doors, request: Mapping[str, Any], end: dict[str, Any], seconds: float
) -> None:
    spool.free()
    _journal(doors, journal_lines(request)[1](end, seconds))
    spool.write("end.json", end)
    doors.listener.tell("end", **end)


def _journal(doors: Doors, line: str) -> None:
    """A full disk must not keep a run from going on, or from going back."""
    try:
        doors.folder.append(_JOURNAL, line)
    except OSError as error:
        doors.listener.tell("warn", text=f"the journal lacks a line: {error}")


def settle_last(app_dir: str) -> Mapping[str, Any]:
    """End the latest run, should its process be gone and it have no end.

    Returns:
        ``{"settled": its end}``, ``{"busy": who holds the lease}``, or ``{}``.
    """
    lease, spool = Lease(app_dir), last(app_dir)
    myself = {"who": "slipway", "what": "settle"}
    holder = lease.take(myself)
    if holder is not None and lease.outlive():
        holder = lease.take(myself)
    if holder is not None:
        return {"busy": holder}
    try:
        request = spool.read("request.json") if spool else None
        if spool is None or request is None or spool.read("end.json") is not None:
            return {}
        began = time.monotonic()
        spool.work()
        forget_logins(request["project"], app_dir)
        doors = _doors(app_dir, spool, request)
        end = settle(request, doors, spool.events())
        sweep(app_dir, alone=booted_since(os.path.join(spool.path, "request.json")))
        _ended(spool, doors, request, end, time.monotonic() - began)
        AtBoot(request["application"], app_dir).disarm()
        return {"settled": end}
    except Failed as failed:
        raise SystemExit(f"the run can't be ended yet: {failed.cause.message}") from failed
    finally:
        lease.give_up()


def _doors(app_dir: str, spool: Spool, request: Mapping[str, Any]) -> Doors:
    listener, datasets = SpoolListener(spool), HostDatasets()
    nas = HostNas(lambda text: listener.tell("say", text=text))
    docker: Docker
    if "apps" in request:  # nobody there may ask Docker itself
        docker = NasDocker(request["apps"], nas)
    else:
        docker = HostDocker(
            request["project"], request["docker"], listener.heed, spool.run, app_dir
        )
    return Doors(docker, HostFolder(app_dir), HostClock(), listener, nas, datasets)


def journal_lines(
    request: Mapping[str, Any],
) -> tuple[Callable[[], str], Callable[[Mapping[str, Any], float], str]]:
    """What the host's journal says of a run: its intent, and its outcome after some seconds."""

    def line(event: str, **fields: object) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        entry = {"format": 1, "time": stamp, "event": event, "release": request["release"]}
        return json.dumps({**entry, **fields}, ensure_ascii=False)

    def outcome(end: Mapping[str, Any], seconds: float) -> str:
        words = {"done": request["word"], "untouched": "refused"}
        word = words.get(end["outcome"], end["outcome"])
        cause = (end["cause"] or {}).get("message", "")
        return line("outcome", outcome=word, cause=cause, seconds=round(seconds, 3))

    return lambda: line("intent", **request["intent"]), outcome
