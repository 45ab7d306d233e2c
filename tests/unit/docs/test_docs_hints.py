"""Commands that hints, messages and comments name are commands: what pages are held to, too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tasks
from tests.unit.docs import pages

from slipway.stack.yamlfile import lint

_KINDS = {".py", ".go", ".sh", ".nix", ".yml", ".toml", ".cfg", ".js", ".html", ".md", ""}
_FOLDERS = ("src", "tasks", "nix", "deploy", "docs", "README.md", "inv", "slipway.toml")
# Python, Go and Nix may write one text as several, with a line between.
_SPLIT = re.compile(r'"[\s+(]*\n\s*f?"')
_COMMAND = re.compile(r"\./inv (?P<task>[a-z][\w.-]*[\w])(?P<behind>(?: [^\s`\"';,:()|]+)*)")
# "./inv builds with them" is a sentence.
_VERBS = {"builds", "install", "is"}


def _texts() -> Iterator[tuple[str, str]]:
    """Path and text of every file that may name a command."""
    for top in _FOLDERS:
        path = pages.ROOT / top
        for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if one.is_file() and one.suffix in _KINDS and "__pycache__" not in one.parts:
                yield str(one.relative_to(pages.ROOT)), one.read_text("utf-8", "replace")


def _named(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Task and what stands behind it, of every command in a text."""
    joined = _SPLIT.sub("", text)
    return [(found["task"], tuple(found["behind"].split())) for found in _COMMAND.finditer(joined)]


COMMANDS = sorted({(path, task, words) for path, text in _texts() for task, words in _named(text)})
NAMES = {name for task, others in tasks.namespace.task_names.items() for name in (task, *others)}
SERVICES = {
    found[1]
    for path in (pages.ROOT / "deploy").glob("docker-compose*.yml")
    for line in lint(Path(path).read_text("utf-8")).lines
    if (found := re.fullmatch(r"services\.([\w-]+)", line))
}


def _wrong(task: str, words: tuple[str, ...]) -> str:
    """Why nobody should type a command; empty for a good one."""
    if task in _VERBS:
        return ""
    if task not in NAMES:
        return f"there is no task {task}"
    known = {
        flag: argument
        for argument in tasks.namespace[task].get_arguments()
        for flag in (f"--{name}" if len(name) > 1 else f"-{name}" for name in argument.names)
    }
    for word in words:
        if word == "--":
            break
        flag = word.partition("=")[0].rstrip(".")
        if re.fullmatch(r"--?[a-z][\w-]*", flag) and flag not in known:
            return f"{task} has no flag {flag}"
    bare = words[0].rstrip(".") if words else ""
    takes = any(argument.positional for argument in known.values())
    if not takes and bare in NAMES | SERVICES:
        return f"{task} takes no bare {bare}: it is another task, or none"
    return ""


@pytest.mark.parametrize(("path", "task", "words"), COMMANDS)
def test_every_command_that_is_named_can_be_typed(
    path: str, task: str, words: tuple[str, ...]
) -> None:
    """The task is there, has the flags, and takes the word behind it."""
    assert not _wrong(task, words), path


def test_commands_are_found_in_every_kind_of_file() -> None:
    """Hints of Python, Nix, shell and settings, so the search for them works."""
    suffixes = {Path(path).suffix for path, _, _ in COMMANDS}
    assert suffixes >= {".py", ".nix", ".md", ".toml", ".yml", ".cfg"}
    assert len(COMMANDS) > 100
    assert {"api", "certificate", "worker"} <= SERVICES


def test_wrong_commands_would_be_seen() -> None:
    """Of one text in several lines, too; a sentence that goes on is none."""
    text = 'hint="see in ./inv '
    text += '"\n    f"logs certificate why"'
    assert [_wrong(*one) for one in _named(text)] == [
        "logs takes no bare certificate: it is another task, or none"
    ]
    seen = {
        "./inv logs api": "logs takes no bare api: it is another task, or none",
        "./inv logs --services api": "logs has no flag --services",
        "./inv lok": "there is no task lok",
        "./inv deploy brings it up": "",
        "./inv restart api.": "",
        "./inv exec api -- ls --all": "",
    }
    assert {text: _wrong(*_named(text)[0]) for text in seen} == seen


def test_whoever_names_the_file_of_hosts_names_the_operators_own_too() -> None:
    """A host may stand in either, and the one that somebody added himself stands in that."""
    shared, own = "deploy/hosts.toml", "deploy/hosts.local.toml"
    for path in sorted((pages.ROOT / "src/slipway").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        told = {ast.get_docstring(one, clean=False) for one in ast.walk(tree)
                if isinstance(one, ast.Module | ast.FunctionDef | ast.ClassDef)}  # fmt: skip
        for one in ast.walk(tree):
            text = one.value if isinstance(one, ast.Constant) else None
            # What begins with # is itself a file's.
            if isinstance(text, str) and shared in text and not text.startswith("#"):
                assert text in told or text == shared or own in text, (str(path), text)
