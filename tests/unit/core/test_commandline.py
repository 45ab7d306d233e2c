"""What a misused command line is told."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import Task, task
from tasks import namespace
from tasks.command import HelpfulTask

from slipway import __version__
from slipway.commandline import CommandLine, misuse, unvalued

ROOT = Path(__file__).resolve().parents[3]


@task(iterable=["role"])
def build(
    context: Context,
    role: list[str],
    number: int = 1,
    seconds: float = 1.0,
    host: str = "",
    json: bool = False,
) -> None:
    """Build."""
    raise AssertionError("no test here comes so far")


@task(positional=["service"])
def look(context: Context, service: str) -> None:
    """Look."""
    raise KeyboardInterrupt


class Bundled(CommandLine):
    """With tasks of its own."""

    def load_collection(self) -> None:
        self.collection = Collection(build, look)


def ended(*arguments: str) -> int:
    """The exit code."""
    with pytest.raises(SystemExit) as caught:
        Bundled(name="slipway", version="1").run(["./inv", *arguments])
    return int(caught.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["biuld"], "there is no task 'biuld'", "did you mean ./inv build?"),
        (["zzz"], "there is no task 'zzz'", "./inv --list"),
        (["--zzz"], "there is no flag --zzz", "./inv --list"),
        (["build", "--zzz"], "build has no flag --zzz", "./inv --help build"),
        (["build", "--number"], "--number needs a value", "./inv --help build"),
        (
            ["build", "--number", "x"],
            "--number takes a whole number, and got 'x'",
            "./inv --help build",
        ),
        (["build", "-n", "x"], "-n takes a whole number, and got 'x'", "./inv --help build"),
        (
            ["build", "--seconds", "x"],
            "--seconds takes a number, and got 'x'",
            "./inv --help build",
        ),
        (["build", "--number=x"], "--number takes a whole number", "./inv --help build"),
        (["build", "--role"], "--role needs a value", "./inv --help build"),
        (["build", "--role", "--number", "3"], "--role needs a value", "./inv --help build"),
        (["look"], "look needs 'service'", "./inv --help look"),
        (["look", ""], "service of look is empty", "./inv --help look"),
        (
            ["look", "api", "web"],
            "look can't take 'web', and there is no task",
            "./inv --help look",
        ),
        (["build", "--host", ""], "--host of build is empty", "./inv --help build"),
        (["build", "--host="], "--host of build is empty", "./inv --help build"),
        (["build", "--role", ""], "--role of build is empty", "./inv --help build"),
        (["--help", "zzz"], "there is no task 'zzz'", "./inv --list"),
        (["--list", "zzz"], "'zzz' not found", "./inv --list"),
    ],
)
def test_misuse_is_a_sentence_and_code_2(
    arguments: list[str], said: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every wrong word ends with code 2, a sentence and the next command; nothing runs."""
    assert ended(*arguments) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert f"hint: {hint}" in err
    assert out == ""


def test_misuse_is_json_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--json`` the refusal is an object on standard output; after ``--`` it isn't ours."""
    assert ended("build", "--zzz", "--json") == 2
    assert json.loads(capsys.readouterr().out)["exit_code"] == 2
    assert ended("zzz", "--", "--json") == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [["--version"], ["--list"], ["--help", "build"]])
def test_questions_are_answered(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Version, list and help end with 0."""
    assert ended(*arguments) == 0
    assert capsys.readouterr().out


def test_ctrl_c_is_130() -> None:
    """An interrupt that no task handled ends with 130."""
    assert ended("look", "here") == 130


@pytest.mark.parametrize(
    ("number", "before", "said"),
    [
        (signal.SIGINT, "signal.default_int_handler", b"undone\n"),
        (signal.SIGTERM, "signal.SIG_DFL", b"undone\n"),
        (signal.SIGHUP, "signal.SIG_DFL", b"undone\n"),
        (signal.SIGHUP, "signal.SIG_IGN", b""),
    ],
)
def test_a_request_to_end_is_an_interrupt(number: signal.Signals, before: str, said: bytes) -> None:
    """Whatever asks a task to end, what it began is undone; under nohup a hangup asks nothing."""
    script = (
        "import os, signal\n"
        "from slipway.commandline import heed_endings\n"
        # These tests may themselves have been started under nohup(1), or in a shell's background.
        f"signal.signal({number.value}, {before})\n"
        "heed_endings()\n"
        "try:\n"
        f"    os.kill(os.getpid(), {number.value})\n"
        "except KeyboardInterrupt:\n"
        "    print('undone')\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, env=env)
    assert (done.stdout, done.returncode) == (said, 0), done.stderr


def test_words_we_do_not_know_are_kept() -> None:
    """A sentence of Invoke's that has no form here is passed on."""
    assert "strange" in misuse("something strange!", task="", tasks=()).message


@pytest.mark.parametrize(
    ("tokens", "found"),
    [
        (["build", "--role", "api"], None),
        (["build", "--role"], "--role"),
        (["build", "--role", "api", "--role", "-j"], "--role"),
        (["build", "--role=api", "-j"], None),
        ([], None),
    ],
)
def test_lists_want_values(tokens: list[str], found: str | None) -> None:
    """A flag for several values with none after it is found."""
    assert unvalued(tokens, ["--role", "-r"]) == found


def test_version_is_the_packages() -> None:
    """``--version`` says what ``pyproject.toml`` says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == __version__


def test_h_is_help_in_every_task() -> None:
    """No flag of any task is shortened to ``-h``, which asks for help wherever it stands."""
    short = {
        name: argument.names
        for context in namespace.to_contexts()
        for name, argument in context.flags.items()
    }

    assert len(namespace.task_names) > 10
    assert "-h" not in short
    assert all("h" not in names for names in short.values())


def walk(collection: Collection, prefix: str = "") -> Iterator[tuple[str, Task[Any]]]:
    """Every task by its whole name."""
    yield from ((prefix + name, one) for name, one in collection.tasks.items())
    for name, inner in collection.collections.items():
        yield from walk(inner, f"{prefix}{name}.")


ALL = dict(walk(namespace))


@pytest.mark.parametrize("name", ALL)
def test_what_has_to_be_given_is_asked_for(name: str) -> None:
    """A flag without a default is one that Invoke misses, and its help says that it is needed."""
    parameters = ALL[name].argspec(ALL[name].body).parameters.values()
    bare = {one.name for one in parameters if one.default is one.empty} - set(ALL[name].iterable)
    wanted = [one for one in ALL[name].get_arguments() if one.positional and one.kind is not list]
    assert {one.name for one in wanted} == bare
    assert all(str(one.help).endswith(" (needed)") for one in wanted)


@pytest.mark.parametrize("name", ALL)
def test_a_task_that_has_json_answers_with_a_value(name: str) -> None:
    """One that ends with another program's code has no JSON to give."""
    told = inspect.signature(ALL[name].body)
    assert ("json" in told.parameters) == (told.return_annotation in ("Answer", "Answer | None"))


def test_a_number_that_was_given_is_never_taken_for_none() -> None:
    """Where 0 is a default, it is a count: nothing is done so often."""
    zero = {
        (name, argument.name)
        for name, one in ALL.items()
        for argument in one.get_arguments()
        if argument.kind in (int, float) and argument.default == 0
    }
    assert zero == {("bench.load", "deploys"), ("bench.load", "rollbacks")}


@pytest.mark.parametrize(("words", "found"), [([], None), (["--days", "0"], 0), (["-d", "7"], 7)])
def test_a_number_that_may_be_left_out_is_a_number_or_none(
    words: list[str], found: int | None
) -> None:
    """0 is 0; a word is refused."""
    seen: list[int | None] = []

    @task(klass=HelpfulTask)
    def keep(context: Context, days: int | None = None) -> None:
        """Keep."""
        seen.append(days)

    line = CommandLine(namespace=Collection(keep), binary="./inv")
    line.run(["inv", "keep", *words], exit=False)
    assert seen == [found]
    with pytest.raises(SystemExit, match="2"):
        line.run(["inv", "keep", "--days", "x"])


def test_h_after_a_task_is_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """``./inv TASK -h`` shows the task's flags and runs nothing."""

    @task(klass=HelpfulTask)
    def ship(context: Context, host: str = "") -> None:
        """Ship it."""
        raise AssertionError("ran")

    CommandLine(namespace=Collection(ship), binary="./inv").run(["inv", "ship", "-h"], exit=False)

    said = capsys.readouterr().out
    assert "Ship it." in said and "-o STRING, --host=STRING" in said
