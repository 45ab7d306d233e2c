"""``./inv``: Invoke's command line, with slipway's words and exit codes for a misused one.

Invoke itself ends with 1 and a bare sentence, or with a traceback for a number that is none.
"""

from __future__ import annotations

import difflib
import gc
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence

from invoke.exceptions import Exit, ParseError
from invoke.parser.argument import Argument
from invoke.program import Program

from slipway import __version__
from slipway.errors import ConfigError
from slipway.report import Report

INTERRUPTED = 130
_LIST = "./inv --list"
_UNKNOWN = re.compile(r"No idea what '(.*)' is!\Z", re.DOTALL)
_NO_VALUE = re.compile(r"Flag <Argument: (\S+).*> needed value and was not given one!\Z")
_NO_ARGUMENT = re.compile(r"'(\S+)' did not receive required positional arguments: (.*)\Z")


def misuse(
    said: str, *, task: str, tasks: Sequence[str], tokens: Sequence[str] = ()
) -> ConfigError:
    """What Invoke's parser said, for a person. Pure.

    Args:
        said: its sentence (Invoke 2.2).
        task: the task whose flags were being read, or empty.
        tasks: every task's name.
        tokens: the command line.
    """
    more = f"./inv --help {task}" if task else _LIST
    if unknown := _UNKNOWN.match(said):
        word = unknown[1]
        if word.startswith("-"):
            what = f"{task} has no flag {word}" if task else f"there is no flag {word}"
        else:
            what, near = f"there is no task {word!r}", difflib.get_close_matches(word, tasks, 1)
            more = f"did you mean ./inv {near[0]}? All tasks: {_LIST}" if near else _LIST
            if behind := _task_before(word, tasks, tokens):
                what = f"{behind} can't take {word!r}, and {what}"
                more = f"./inv --help {behind}"
    elif missing := _NO_VALUE.match(said):
        what = f"--{missing[1]} needs a value"
    elif missing := _NO_ARGUMENT.match(said):
        what, more = f"{missing[1]} needs {missing[2]}", f"./inv --help {missing[1]}"
    else:
        what = said.rstrip("!.")
    return ConfigError(f"{what}; nothing was done", hint=more, stage="command line")


def _task_before(word: str, tasks: Sequence[str], tokens: Sequence[str]) -> str:
    """The task behind which an unknown word stands; empty when it is the first of its kind."""
    before = tokens[: tokens.index(word)] if word in tokens else ()
    return next((one for one in reversed(before) if one in tasks), "")


def emptied(task: str, argument: Argument) -> ConfigError:
    """An argument of no letters, as a script has it from a variable that was not set. Pure.

    Taken for none at all, it would mean another host or release than was thought of.
    """
    bare = argument.positional and argument.kind is not list
    name = argument.name if bare else f"--{argument.name}"
    return ConfigError(
        f"{name} of {task} is empty; nothing was done",
        hint=f"./inv --help {task}",
        stage="command line",
    )


def _is_empty(argument: Argument) -> bool:
    value = argument.value
    return value == "" and argument.got_value if argument.kind is not list else "" in (value or ())


def unvalued(tokens: Sequence[str], lists: Sequence[str]) -> str | None:
    """The first flag that may be given several times and has no value this time. Pure.

    Invoke notices that for other flags only.

    Args:
        tokens: the command line before ``--``.
        lists: those flags, with their hyphens.
    """
    following = [*tokens[1:], "-"]
    for token, after in zip(tokens, following, strict=False):
        if token in lists and after.startswith("-"):
            return token
    return None


def flag_before(value: str, tokens: Sequence[str]) -> str:
    """The flag that was given a value; empty when it can't be told. Pure.

    Args:
        value: as Python quotes it.
        tokens: the command line before ``--``.
    """
    for before, token in zip(("", *tokens), tokens, strict=False):
        if repr(token) == value and before.startswith("-"):
            return before
        flag, equals, given = token.partition("=")
        if equals and flag.startswith("-") and repr(given) == value:
            return flag
    return ""


def gathered(tokens: Sequence[str]) -> list[str]:
    """A command line with the flag that a bare ``worker=3`` behind ``scale`` stands for. Pure.

    Invoke takes each bare word behind a task for another task.
    """
    found: list[str] = []
    behind = False
    for number, word in enumerate(tokens):
        if word == "--":
            return [*found, *tokens[number:]]
        if behind and "=" in word and not word.startswith("-"):
            found.append("--set")
        behind = behind or word == "scale"
        found.append(word)
    return found


def heed_endings() -> None:
    """Take a request to end (SIGTERM, a closed terminal) as Ctrl-C: what was begun is undone.

    One that this process was told to ignore, as under nohup(1), stays ignored.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def hold_streams() -> None:
    """Take the places of standard streams that were closed, as by ``2>&-``; what is said is lost.

    Else the next file that is opened would be one of them.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            os.dup2(opened, number)
            if opened > 2:
                os.close(opened)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))


def collect_rarely() -> None:
    """Look for cycles of garbage less often than Python does.

    A short command makes values and ends: looking for what could be freed meanwhile was a sixth of
    the time that its modules take to load.
    """
    gc.set_threshold(50_000, 20, 50)


def forget_output() -> None:
    """Let Python not try once more, at its end, to write what could not be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class CommandLine(Program):
    """Invoke's program, with exit code 2 and a hint for a command line it does not understand."""

    def run(self, argv: list[str] | None = None, exit: bool = True) -> None:
        """Do what the command line says; Ctrl-C outside a task's work is 130 too.

        Whoever reads a list may have read enough of it (``| head -1``).
        """
        try:
            super().run(gathered(sys.argv if argv is None else argv), exit)
            sys.stdout.flush()
        except BrokenPipeError:
            forget_output()
        except SystemExit as error:
            if isinstance(error.__context__, KeyboardInterrupt):
                raise SystemExit(INTERRUPTED) from None
            raise

    def parse_core(self, argv: list[str] | None) -> None:
        """Read the flags before the tasks.

        Invoke forbids Python to keep what it compiled, so that each command compiled all of slipway
        anew, a fifth of a second; whoever wants that says so by ``PYTHONDONTWRITEBYTECODE``.
        """
        keep = sys.dont_write_bytecode
        try:
            self._understand(lambda: super(CommandLine, self).parse_core(argv))
        finally:
            sys.dont_write_bytecode = keep

    def parse_collection(self) -> None:
        """Load ``tasks``."""
        try:
            super().parse_collection()
        except Exit as error:
            if error.message:
                raise self._refuse(misuse(error.message, task="", tasks=())) from error
            raise

    def parse_tasks(self) -> None:
        """Read the tasks and their flags."""
        self._understand(super().parse_tasks)
        tokens = self._tokens()
        for context in self.tasks:
            if empty := [one for one in context.args.values() if _is_empty(one)]:
                raise self._refuse(emptied(str(context.name), empty[0]))
        lists = [
            flag
            for context in self.tasks
            for flag, argument in context.flags.items()
            if isinstance(argument, Argument) and argument.kind is list
        ]
        if flag := unvalued(tokens, lists):
            task = str(self.tasks[0].name)
            error = ConfigError(
                f"{flag} needs a value; nothing was done",
                hint=f"./inv --help {task}",
                stage="command line",
            )
            raise self._refuse(error)

    def parse_cleanup(self) -> None:
        """Answer ``--list`` and ``--help TASK``."""
        try:
            self._understand(super().parse_cleanup)
        except Exit as error:
            if error.message:  # --list of a collection that isn't there
                raise self._refuse(misuse(error.message, task="", tasks=())) from error
            raise

    def _tokens(self) -> list[str]:
        tokens = list(self.argv[1:])
        return tokens[: tokens.index("--")] if "--" in tokens else tokens

    def _understand(self, parse: Callable[[], None]) -> None:
        try:
            parse()
        except ParseError as error:
            task = str(getattr(error.context, "name", None) or "")
            told = misuse(str(error), task=task, tasks=self._names(), tokens=self._tokens())
            raise self._refuse(told) from error
        except ValueError as error:
            value = str(error).rpartition(": ")[2]
            flag = flag_before(value, self._tokens())
            number = "a number" if "float" in str(error) else "a whole number"
            said = f"{flag or 'a flag'} takes {number}, and got {value}"
            task = next((one for one in self._tokens() if one in self._names()), "")
            raise self._refuse(misuse(said, task=task, tasks=())) from error

    def _names(self) -> list[str]:
        return list(self.collection.task_names) if hasattr(self, "collection") else []

    def _refuse(self, error: ConfigError) -> Exit:
        report = Report()
        if {"--json", "-j"} & set(self._tokens()):
            report.data(error.to_json())
        report.error(error)
        return Exit(code=error.exit_code)


program = CommandLine(
    name="slipway", binary="./inv", binary_names=["./inv", "inv"], version=__version__
)

if __name__ == "__main__":
    hold_streams()
    collect_rarely()
    program.run()
