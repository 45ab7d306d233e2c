"""What every task shares: its place, its failures, how its answer is shown.

A task imports in its body what it works with: each starts without what the others need, which is
most of the time that a deploy without changes takes.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.tasks import Task, task

from slipway.app.answer import Answer
from slipway.commandline import forget_output, heed_endings
from slipway.errors import ConfigError, Interrupted, SlipwayError
from slipway.report import Report

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
HOST = "name of a host in deploy/hosts.toml (default: its `default`)"
JSON = "print JSON on standard output"
WAIT = "when somebody else is at work there, begin when that has ended"
LOCKED = "never lock anew: stop when a locked package can't be had"


class HelpfulTask(Task[Any]):
    """A task that leaves ``-h`` to help, and has numbers that may be left out (``int | None``)."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Its flags; Invoke forgets what help says of them once it was asked."""
        told = dict(self.help)
        try:
            return super().get_arguments(ignore_unknown_help)
        finally:
            self.help = told

    def arg_opts(self, name: str, default: str, taken_names: set[str]) -> dict[str, Any]:
        """How a flag is named (Invoke's own choice, without ``h``), what it takes, if it must be.

        Invoke takes the type of a flag from its default: a number that may be left out would be a
        text, or have a number for a default that nobody could tell from one that was given.
        """
        options = super().arg_opts(name, default, {*taken_names, "h"})
        if self.argspec(self.body).parameters[name].annotation in ("int | None", int | None):
            options["kind"] = int
        if options["positional"] and options.get("kind") is not list:
            options["help"] = f"{options.get('help', '')} (needed)".lstrip()
        return options


def command(**options: Any) -> Callable[[Callable[..., Answer | int | None]], Any]:
    """Make a task of a function that takes a Workspace, show its answer, handle its failures.

    A function whose flags have ``json`` answers in JSON when it is set.

    Args:
        options: those of :func:`invoke.task`.

    Returns:
        A decorator. The function's result is an answer to show, an exit code, or None.
    """

    def decorate(body: Callable[..., Answer | int | None]) -> Any:
        @functools.wraps(body)
        def guarded(context: Context, *args: Any, **kwargs: Any) -> None:
            heed_endings()
            from slipway.app.workspace import Workspace

            report = Report()
            as_json = bool(kwargs.pop("json", False))
            try:
                workspace = Workspace(ROOT, report, environment=_environment())
                result = body(workspace, *args, **kwargs)
            except SlipwayError as error:
                raise _ended(report, error, as_json) from error
            except OSError as error:
                failure = SlipwayError(f"this machine: {error}", hint="mend this, then try again")
                raise _ended(report, failure, as_json) from error
            except KeyboardInterrupt as error:
                if as_json:
                    report.data(Interrupted("interrupted").to_json())
                report.say("interrupted")
                raise Exit(code=Interrupted.exit_code) from error
            if isinstance(result, Answer):
                try:
                    _show(report, result, as_json)
                except BrokenPipeError:  # `| head -1`: who has read enough knows what was done
                    forget_output()
                except OSError as error:
                    forget_output()
                    what = f"it was done, but standard output can't be written: {error.strerror}"
                    raise _ended(report, SlipwayError(what), False) from error
                if result.code:
                    raise Exit(code=result.code)
            elif result:
                raise Exit(code=result)

        return task(guarded, klass=HelpfulTask, **options)

    return decorate


@functools.cache
def _environment() -> Mapping[str, str]:
    """The variables that this process was given; secrets among them leave its environment."""
    from slipway.app.supplied import withdraw

    return withdraw(os.environ)


def _ended(report: Report, error: SlipwayError, as_json: bool) -> Exit:
    if as_json:
        report.data(error.to_json())
    report.error(error)
    return Exit(code=error.exit_code)


def _show(report: Report, answer: Answer, as_json: bool) -> None:
    if as_json:
        report.data(answer.json)
        return
    if answer.talk:
        report.say(answer.talk)
    if answer.text:
        report.text(answer.text)


def remainder() -> tuple[str, ...]:
    """What follows ``--`` on the command line, argument by argument."""
    return tuple(sys.argv[sys.argv.index("--") + 1 :]) if "--" in sys.argv else ()


def attached(workspace: Workspace, argv: list[str]) -> int:
    """Say which program runs, and :func:`run_here` it."""
    workspace.report.step(Path(argv[0]).name if argv[0] != sys.executable else argv[2])
    return run_here(argv)


def run_here(argv: list[str], *, hint: str = "") -> int:
    """Run a program with this terminal in the checkout.

    Args:
        argv: the program and its arguments.
        hint: where it comes from, when that is no package of its name.

    Returns:
        The code it ended with.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        return subprocess.run(argv, cwd=ROOT, env=env, check=False).returncode
    except FileNotFoundError as error:
        raise ConfigError(
            f"{argv[0]} is not installed",
            hint=hint or f"install your distribution's {argv[0]} package",
            stage="setup",
        ) from error
