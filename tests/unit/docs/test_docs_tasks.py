"""What pages say of the command line is what the command line is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tasks
from invoke.collection import Collection
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.program import Program
from invoke.tasks import Task
from tests.unit.docs import pages

from langflix.domain.tokens import MOST_DAYS
from slipway.commandline import gathered

PAGE = pages.read(pages.DOCS / "reference/tasks.md")
_COMMAND = re.compile(r"(?:^|\s)(?:\./inv|invoke)\s+(?P<arguments>.+)$")
_PLACEHOLDERS = {"TASK": "deploy", "NAME": "rehearsal", "SERVICE": "api"}


def _walk(collection: Collection, prefix: str = "") -> Iterator[tuple[str, Task[Any]]]:
    for name, task in collection.tasks.items():
        yield prefix + name, task
    for name, inner in collection.collections.items():
        yield from _walk(inner, f"{prefix}{name}.")


TASKS = dict(_walk(tasks.namespace))


def _flags(task: Task[Any]) -> set[str]:
    names = [name for argument in task.get_arguments() for name in argument.names]
    return {f"--{name}" if len(name) > 1 else f"-{name}" for name in names}


CONTEXTS = tasks.namespace.to_contexts()


def _accepted(words: list[str]) -> list[str]:
    """The tasks a command line names, read in invoke's own two passes: its flags, then tasks."""
    core = ParserContext(args=Program().core_args())
    parsed = Parser(initial=core, ignore_unknown=True).parse_argv(gathered(words))
    if parsed[0].args["list"].value:
        return sorted(TASKS)
    if parsed[0].args["help"].value:
        return [parsed[0].args["help"].value]
    body = [*parsed.unparsed, *(["--", parsed.remainder] if parsed.remainder else [])]
    return [str(context.name) for context in Parser(contexts=CONTEXTS).parse_argv(body)]


def _commands(text: str) -> list[str]:
    """The arguments of every `./inv …` that a page shows, in examples and in the text."""
    lines = [
        line.removeprefix("$ ")
        for block in pages.blocks(text)
        if block.language in ("console", "sh", "")
        for line in block.text.splitlines()
    ]
    lines += re.findall(r"`((?:\./inv|invoke) [^`]+)`", re.sub(r"\s*\n\s*", " ", pages.prose(text)))
    return [found["arguments"] for line in lines if (found := _COMMAND.search(line))]


def _words(arguments: str) -> list[str]:
    """As the shell would split them, without comments and redirections."""
    lexer = shlex.shlex(arguments, posix=True, punctuation_chars="<>|")
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if set(word) <= set("<>|"):
            break
        words.append(_PLACEHOLDERS.get(word, word))
    return words


SHOWN = sorted(
    {
        (str(page.relative_to(pages.ROOT)), command)
        for page in pages.PAGES
        for command in _commands(pages.read(page))
    }
)


def test_the_page_has_every_task_and_no_other() -> None:
    """The headings of the reference are the names of `./inv --list`."""
    described = [words.strip("`") for level, words in pages.headings(PAGE) if level == 3]
    assert sorted(described) == sorted(TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_described_by_its_own_first_line(name: str) -> None:
    """What stands first below a task's heading is the first line of its docstring."""
    lines = pages.section(PAGE, f"`{name}`").strip().splitlines()
    assert lines[0] == (TASKS[name].__doc__ or "").splitlines()[0]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_has_the_flags_that_are_described(name: str) -> None:
    """The table of a task has each of its flags, long and short, and no other."""
    body = pages.section(PAGE, f"`{name}`")
    described = set(pages.keys(body)) if pages.tables(body) else set()
    assert described == _flags(TASKS[name])
    assert described or "It takes no flags." in body


@pytest.mark.parametrize("name", TASKS)
def test_what_a_task_needs_is_said(name: str) -> None:
    """In the rows of those flags, and of no others."""
    body = pages.section(PAGE, f"`{name}`")
    rows = re.findall(r"^\| `--([\w-]+)`(.*)$", body, re.MULTILINE)
    needed = {
        one.name for one in TASKS[name].get_arguments() if one.positional and one.kind is not list
    }
    assert {flag for flag, row in rows if "(needed)" in row} == needed


def test_limits_of_tokens_are_those_of_the_application() -> None:
    """The days of the page and of the help are those that the application takes."""
    row = next(line for line in PAGE.splitlines() if line.startswith("| `--days`"))
    (days,) = (one for one in TASKS["tokens.add"].get_arguments() if one.name == "days")
    assert f"1 to {MOST_DAYS}" in row and f"1 to {MOST_DAYS}" in str(days.help)


@pytest.mark.parametrize(("page", "command"), SHOWN)
def test_every_command_that_is_shown_exists(page: str, command: str) -> None:
    """Invoke itself accepts each shown command: the task is there and has the flags."""
    named = _accepted(_words(command))
    assert named, page
    assert set(named) <= set(TASKS), page


@pytest.mark.parametrize(("page", "command"), SHOWN)
def test_a_shown_command_is_one_task(page: str, command: str) -> None:
    """Invoke takes a bare word for another task, which it does afterwards: a service, perhaps."""
    assert len(_accepted(_words(command))) == 1 or command == "--list", page


def test_commands_are_found() -> None:
    """The guides show dozens of commands, so the search for them works."""
    assert len(SHOWN) > 30
    assert {"deploy", "lock", "rehearsal.down"} <= {shown[1].split()[0] for shown in SHOWN}


def test_a_wrong_flag_would_be_seen() -> None:
    """The parser used here refuses flags that a task doesn't have."""
    with pytest.raises(Exception, match="No idea what '--hostname' is"):
        _accepted(["deploy", "--hostname", "x"])


def test_paths_in_pages_are_in_the_tree() -> None:
    """Paths of the repository that pages name in backquotes exist, but for what people make."""
    start = re.compile(r"`((?:src|nix|deploy|tests|docs)/(?!NAME)[\w./-]+)`")
    made_by_people = {
        "deploy/allowed_signers",
        "deploy/hosts.local.toml",
        "deploy/secrets.toml",
        "deploy/secrets.sops.yaml",
        "deploy/.env",
        "deploy/docker-compose.override.yml",
        "deploy/secrets",
    }
    missing = {
        (page.name, path)
        for page in pages.PAGES
        for path in start.findall(pages.prose(pages.read(page)))
        if not Path(pages.ROOT, path).exists()
        and path not in made_by_people
        and not path.startswith("deploy/secrets/")
    }
    assert not missing
