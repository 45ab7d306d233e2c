"""The command line: ``./inv --list`` shows every task, ``./inv --help TASK`` its flags.

Each task parses, calls slipway, prints. They stand in one file, longer than most, because the file
is the command line. The one decorator :func:`command` gives it a
:class:`~slipway.app.desk.Desk` and turns every expected failure into a message (or, with
``--json``, an object on standard output) and an exit code.
"""

from __future__ import annotations

import functools
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from slipway.act.deploy import deploy as carry_out
from slipway.act.deploy import make_draft
from slipway.app.bench import bench as measure
from slipway.app.bench import figures_text
from slipway.app.checkout import maker
from slipway.app.desk import Desk, new_token
from slipway.app.present import outcome_text, plan_text
from slipway.errors import ConfigError, Interrupted, SlipwayError
from slipway.images.summary import summary, summary_text
from slipway.operate import running as operate
from slipway.operate.status import (
    make_status,
    read_status,
    releases_json,
    releases_text,
    status_text,
)
from slipway.report import Report, table
from slipway.supply import programs
from slipway.supply.nixtool import FEATURES
from slipway.supply.ready import lock as make_locks
from slipway.supply.ready import ready

ROOT = Path(__file__).resolve().parent
_HOST = "name of a host in deploy/hosts.toml (default: its `default`)"
_JSON = "print JSON on standard output"
_LOCKED = "never lock anew: stop when a locked package can't be had"


def command(**options: Any) -> Callable[[Callable[..., int | None]], Any]:
    """Make a task of a function that takes a Desk, and handle its failures.

    Args:
        options: those of :func:`invoke.task`.

    Returns:
        A decorator. The function's result, when it has one, is the exit code.
    """

    def decorate(body: Callable[..., int | None]) -> Any:
        @functools.wraps(body)
        def guarded(context: Context, *args: Any, **kwargs: Any) -> None:
            report = Report()
            as_json = bool(kwargs.get("json"))
            try:
                code = body(Desk(ROOT, report), *args, **kwargs)
            except SlipwayError as error:
                if as_json:
                    report.data(error.to_json())
                report.error(error)
                raise Exit(code=error.exit_code) from error
            except OSError as error:
                failure = SlipwayError(f"this machine: {error}", hint="mend this, then try again")
                if as_json:
                    report.data(failure.to_json())
                report.error(failure)
                raise Exit(code=failure.exit_code) from error
            except KeyboardInterrupt as error:
                if as_json:
                    report.data(Interrupted("interrupted").to_json())
                report.say("interrupted")
                raise Exit(code=Interrupted.exit_code) from error
            if code:
                raise Exit(code=code)

        return task(guarded, **options)

    return decorate


def remainder() -> tuple[str, ...]:
    """What follows ``--`` on the command line, argument by argument."""
    return tuple(sys.argv[sys.argv.index("--") + 1 :]) if "--" in sys.argv else ()


@command(help={"only": "python, debian, go or dev; may be given several times"}, iterable=["only"])
def lock(desk: Desk, only: list[str]) -> None:
    """Resolve the inputs anew and write the locks."""
    make_locks(desk.shell, desk.root, desk.report, tuple(only or ()))


@command(help={"locked": _LOCKED, "json": _JSON})
def fetch(desk: Desk, locked: bool = False, json: bool = False) -> None:
    """Bring locked inputs into the Nix store."""
    done = ready(desk.shell, desk.root, desk.report, locked=locked)
    if json:
        desk.report.data(done.to_json())
    elif not done.files:
        desk.report.say("every locked input is in the store")


@command(
    help={
        "role": "only this image; may be given several times",
        "rebuild": "build every layer a second time and compare the bytes",
        "locked": _LOCKED,
        "json": _JSON,
    },
    iterable=["role"],
)
def build(
    desk: Desk,
    role: list[str],
    rebuild: bool = False,
    locked: bool = False,
    json: bool = False,
) -> None:
    """Build the images; show digests, sizes and layers."""
    images = desk.images(locked=locked, roles=tuple(role or ()), rebuild=rebuild)
    if json:
        desk.report.data(summary(images))
    else:
        desk.report.text(summary_text(images))


@command(help={"host": _HOST, "locked": _LOCKED, "json": _JSON})
def deploy(desk: Desk, host: str | None = None, locked: bool = False, json: bool = False) -> None:
    """Make this checkout live on a host; go back if it fails."""
    desk.check(desk.entry(host))
    target = desk.reach(host)
    try:
        images = desk.images(locked=locked)
        target = target or desk.target(host, boot=True, locked=locked)
        doors = desk.doors(target)
        result = carry_out(desk.wanted(target, images), doors, new_token())
        outcome = result.outcome
        status = make_status(target.host.name, result.release, result.containers)
    finally:
        if target is not None:
            target.host.close()
    if json:
        desk.report.data(outcome.to_json())
    else:
        desk.report.say(outcome_text(outcome))
        desk.report.text(status_text(status))


@command(help={"host": _HOST, "locked": _LOCKED, "json": _JSON})
def plan(desk: Desk, host: str | None = None, locked: bool = False, json: bool = False) -> None:
    """Show what a deploy would do, and do nothing."""
    desk.check(desk.entry(host))
    target = desk.target(host)
    try:
        images = desk.images(locked=locked)
        made = make_draft(desk.wanted(target, images), desk.doors(target)).plan
    finally:
        target.host.close()
    if json:
        desk.report.data(made.to_json())
    else:
        desk.report.text(plan_text(made))


@command(help={"host": _HOST, "json": _JSON})
def status(desk: Desk, host: str | None = None, json: bool = False) -> None:
    """Show what runs, and where it drifted."""
    target = desk.target(host)
    try:
        seen = read_status(desk.doors(target))
    finally:
        target.host.close()
    if json:
        desk.report.data(seen.to_json())
    else:
        desk.report.text(status_text(seen))


@command(help={"host": _HOST, "json": _JSON})
def releases(desk: Desk, host: str | None = None, json: bool = False) -> None:
    """List a host's releases, newest first."""
    target = desk.target(host)
    try:
        records = desk.doors(target).folder.read().records
    finally:
        target.host.close()
    if json:
        desk.report.data(releases_json(records))
    else:
        desk.report.text(releases_text(records))


@command(
    help={
        "service": "only this one",
        "host": _HOST,
        "follow": "go on showing new lines until Ctrl-C",
        "number": "how many of the last lines of each service",
        "since": "only lines younger than this, such as 10m or 2026-01-31",
    },
)
def logs(
    desk: Desk,
    service: str = "",
    host: str | None = None,
    follow: bool = False,
    number: int = 100,
    since: str = "",
) -> int:
    """Show what the services wrote."""
    target = desk.target(host)
    try:
        return operate.logs(
            desk.doors(target),
            service,
            follow=follow,
            lines=number,
            since=since,
        )
    finally:
        target.host.close()


@command(help={"service": "where", "host": _HOST}, positional=["service"])
def exec_(desk: Desk, service: str, host: str | None = None) -> int:
    """Run a command in a service: exec SERVICE -- COMMAND."""
    target = desk.target(host)
    try:
        doors = desk.doors(target)
        return operate.execute(doors, service, remainder())
    finally:
        target.host.close()


@command(help={"host": _HOST, "service": "whose image and settings it has"})
def run(desk: Desk, host: str | None = None, service: str = "cli") -> int:
    """Run the application's CLI once: run -- ARGUMENTS."""
    target = desk.target(host)
    try:
        doors = desk.doors(target)
        return operate.run_once(doors, service, remainder())
    finally:
        target.host.close()


@command(help={"host": _HOST})
def down(desk: Desk, host: str | None = None) -> None:
    """Stop the stack; data, secrets, images and releases stay."""
    target = desk.target(host)
    try:
        live = operate.down(desk.doors(target), maker(), new_token())
    finally:
        target.host.close()
    desk.report.say(f"{live.id} is down; data was kept. Bring it back with ./inv deploy")


_NAME = "name of the rehearsal host"


@command(name="up", help={"name": _NAME, "json": _JSON, "locked": _LOCKED})
def rehearsal_up(
    desk: Desk, name: str = "rehearsal", json: bool = False, locked: bool = False
) -> None:
    """Boot a disposable host with sshd and Docker."""
    info = desk.rehearsals().up(name, desk.tree(locked=locked))
    if json:
        desk.report.data(info.to_json())
    else:
        desk.report.say(f"{info.name} is up at {info.address} (Docker {info.docker_version})")


@command(name="status", help={"json": _JSON})
def rehearsal_status(desk: Desk, json: bool = False) -> None:
    """List the rehearsal hosts."""
    infos = desk.rehearsals().list_all()
    if json:
        desk.report.data([info.to_json() for info in infos])
    elif not infos:
        desk.report.text("there is no rehearsal host; ./inv rehearsal.up boots one")
    else:
        rows = [
            (info.name, info.address, info.docker_version, info.booted_at, info.problem or "up")
            for info in infos
        ]
        desk.report.text(table(rows, head=("name", "address", "docker", "booted", "state")))


@command(name="shell", help={"name": _NAME})
def rehearsal_shell(desk: Desk, name: str = "rehearsal") -> int:
    """Log in to a rehearsal host."""
    info = desk.rehearsals().status(name)
    if info is None:
        raise ConfigError(
            f"there is no rehearsal host {name}",
            hint=f"./inv rehearsal.up --name {name}",
            stage="config",
        )
    argv = ["ssh", "-i", info.key_path, "-p", str(info.ssh_port)]
    argv += ["-o", f"UserKnownHostsFile={info.known_hosts_path}", "-o", "IdentitiesOnly=yes"]
    argv += ["-o", "StrictHostKeyChecking=yes", f"{info.user}@{info.address}"]
    if remainder():
        argv.append(shlex.join(remainder()))
    return subprocess.run(argv, check=False).returncode


@command(name="down", help={"name": _NAME})
def rehearsal_down(desk: Desk, name: str = "rehearsal") -> None:
    """Remove a rehearsal host with all its data."""
    if not desk.rehearsals().down(name):
        desk.report.say(f"there is no rehearsal host {name}")


@command()
def lint(desk: Desk) -> int:
    """Check style, types and shell scripts."""
    scripts = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("nix/**/*.sh"))
    scripts += ["inv", "deploy/images/postgres/usr/bin/postgres-start"]
    checks = [
        [sys.executable, "-m", "ruff", "check", "."],
        [sys.executable, "-m", "ruff", "format", "--check", "."],
        [sys.executable, "-m", "mypy"],
        [str(Path(sys.executable).parent / "shellcheck"), *scripts],
    ]
    return max(_attached(desk, argv) for argv in checks)


@command(
    name="test",
    help={
        "unit": "only pure tests (milliseconds each)",
        "integration": "only tests against real programs",
        "functional": "only whole deploys on a rehearsal host",
        "match": "only tests whose name contains this",
    },
)
def test_(
    desk: Desk,
    unit: bool = False,
    integration: bool = False,
    functional: bool = False,
    match: str = "",
) -> int:
    """Run every test, or only some kinds."""
    chosen = {"unit": unit, "integration": integration, "functional": functional}
    kinds = [kind for kind, wanted in chosen.items() if wanted] or list(chosen)
    needed = {"integration": programs.INTEGRATION, "functional": programs.FUNCTIONAL}
    for kind in kinds:
        programs.ensure(desk.shell, desk.report, needed.get(kind, {}))
    if "integration" in kinds or "functional" in kinds:
        ready(desk.shell, desk.root, desk.report, locked=False)
    argv = [sys.executable, "-m", "pytest", *(f"tests/{kind}" for kind in kinds)]
    # Many tests wait for programs: one more at a time than there are processors keeps these busy.
    side_by_side = str(1 + (os.cpu_count() or 1))
    argv += ["-n", side_by_side, "--no-loadscope-reorder"]
    return _attached(desk, [*argv, *(["-k", match] if match else []), *remainder()])


@command(help={"runs": "how often each timed thing is repeated", "json": _JSON})
def bench(desk: Desk, runs: int = 5, json: bool = False) -> None:
    """Measure sizes, bytes and times on this machine."""
    if runs < 1:
        raise ConfigError(f"--runs {runs} should be 1 or more", hint="./inv bench", stage="config")
    figures = measure(desk.root, desk.images(locked=True), desk.report, runs=runs)
    if json:
        desk.report.data([figure.to_json() for figure in figures])
    else:
        desk.report.text(figures_text(figures))


@command(name="check")
def nix_check(desk: Desk) -> int:
    """Build every check of the flake."""
    ready(desk.shell, desk.root, desk.report, locked=True)
    return _attached(desk, ["nix", *FEATURES, "flake", "check", "--print-build-logs"])


def _attached(desk: Desk, argv: list[str]) -> int:
    """Run a program with this terminal in the checkout; a missing one is named."""
    desk.report.step(Path(argv[0]).name if argv[0] != sys.executable else argv[2])
    try:
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        return subprocess.run(argv, cwd=ROOT, env=env, check=False).returncode
    except FileNotFoundError as error:
        raise ConfigError(
            f"{argv[0]} is not installed",
            hint=f"install your distribution's {argv[0]} package",
            stage="setup",
        ) from error


namespace = Collection(
    lock, fetch, build, deploy, plan, status, releases, logs, run, down, lint, bench
)
namespace.add_task(exec_, name="exec")
namespace.add_task(test_, name="test")
namespace.add_collection(
    Collection("rehearsal", rehearsal_up, rehearsal_status, rehearsal_shell, rehearsal_down)
)
namespace.add_collection(Collection("nix", nix_check))
