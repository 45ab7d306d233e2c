"""The reference of LangFlix's API and command line has what the code has, and nothing else."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.docs import pages
from tests.unit.docs.test_docs_formats import _Noting

from langflix import errors
from langflix.api.app import create
from langflix.cli.main import NOBODY_READS, parser
from langflix.queue.helper import PARENT
from langflix.scoring.settings import KEY_FILE, GeminiSettings
from langflix.settings import Settings

API = pages.read(pages.DOCS / "reference/api.md")
CLI = pages.read(pages.DOCS / "reference/langflix-cli.md")
PAGE = {"API": "docs/reference/api.md", "CLI": "docs/reference/langflix-cli.md"}


def _openapi() -> dict[str, Any]:
    environ = {
        "LANGFLIX_DATABASE_URL": "postgresql+psycopg://langflix@127.0.0.1:1/langflix",
        "LANGFLIX_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    app = create(Settings.from_env(environ))
    app.state.services.close()
    return app.openapi()


OPENAPI = _openapi()
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, methods in OPENAPI["paths"].items()
    for method, operation in methods.items()
}


def _schema(value: dict[str, Any]) -> dict[str, Any]:
    name = value.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = OPENAPI["components"]["schemas"][name] if name else value
    return found


def _bodies(operation: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["schema"] for one in operation.get("requestBody", {}).get("content", {}).values()]


def _differ(described: set[str], there: set[str], what: str, page: str) -> str:
    """Say what to do about a difference; empty when there is none."""
    told = []
    if missing := there - described:
        told.append(f"{page} lacks {what}: add {', '.join(sorted(missing))}")
    if stale := described - there:
        told.append(f"{page} describes {what} that the code lacks: {', '.join(sorted(stale))}")
    return "; ".join(told)


def _headings(text: str) -> set[str]:
    """The level-three headings that are in backquotes, without these."""
    found = [words for level, words in pages.headings(text) if level == 3]
    return {words.strip("`") for words in found if words.startswith("`")}


def _rows(text: str) -> set[str]:
    return set(pages.keys(text)) if pages.tables(text) else set()


def test_every_operation_has_its_heading() -> None:
    """The reference of the API has each operation of the OpenAPI document and no other."""
    difference = _differ(_headings(API), set(OPERATIONS), "the headings", PAGE["API"])
    assert not difference, difference


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_its_parameters_and_answers(name: str) -> None:
    """Its table has each parameter and field of its body, its last lines each status."""
    assert name in _headings(API), f"{PAGE['API']} lacks the heading ### `{name}`"
    operation, body = OPERATIONS[name], pages.own(API, f"`{name}`")
    wanted = {one["name"] for one in operation.get("parameters", [])}
    for schema in _bodies(operation):
        wanted |= set(_schema(schema)["properties"])
    before, found, answers = body.partition("Answers:")
    assert found, f"{name}: no line 'Answers:' in {PAGE['API']}"
    difference = _differ(_rows(before), wanted, f"parameters of {name}", PAGE["API"])
    assert not difference, difference
    statuses = set(re.findall(r"`([2-5]\d\d)`", answers))
    difference = _differ(statuses, set(operation["responses"]), f"answers of {name}", PAGE["API"])
    assert not difference, difference


def test_every_shape_is_described() -> None:
    """Each object that an answer holds has a table of its fields, or a row among the lists."""
    sent = {_name(one) for operation in OPERATIONS.values() for one in _bodies(operation)}
    schemas = {name: one for name, one in OPENAPI["components"]["schemas"].items()
               if name not in sent}  # fmt: skip
    lists = {
        re.findall("`([^`]+)`", row[0])[0]: set(re.findall("`([^`]+)`", row[1]))
        for row in pages.tables(pages.own(API, "Lists"))[0]
    }
    titles = {words for level, words in pages.headings(pages.section(API, "Shapes")) if level == 3}
    difference = _differ((titles - {"Lists"}) | set(lists), set(schemas), "shapes", PAGE["API"])
    assert not difference, difference
    expression = set(schemas["Expression"]["properties"])
    for name, schema in schemas.items():
        fields = lists[name] if name in lists else _rows(pages.own(API, name))
        wanted = set(schema["properties"]) - (expression if name == "Found" else set())
        difference = _differ(fields, wanted, f"fields of {name}", PAGE["API"])
        assert not difference, difference


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _leaves(
    parsed: argparse.ArgumentParser, name: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    inner = [one for one in parsed._actions if isinstance(one, argparse._SubParsersAction)]
    for word, below in inner[0].choices.items() if inner else ():
        yield from _leaves(below, f"{name} {word}")
    if not inner:
        yield name, parsed


COMMANDS = dict(_leaves(parser(), "langflix"))


def test_every_command_has_its_heading() -> None:
    """The reference of the command line has each command and action, and no other."""
    difference = _differ(_headings(CLI), set(COMMANDS), "the headings", PAGE["CLI"])
    assert not difference, difference


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_the_flags_that_are_described(name: str) -> None:
    """Its table, with the one of all actions, has each flag and argument and no other."""
    there = {
        word
        for action in COMMANDS[name]._actions
        for word in (action.option_strings or [str(action.metavar or action.dest)])
    } - {"-h", "--help"}
    assert name in _headings(CLI), f"{PAGE['CLI']} lacks the heading ### `{name}`"
    described = _rows(pages.own(CLI, f"`{name}`"))
    if name.startswith("langflix jobs "):
        described |= _rows(pages.own(CLI, "`langflix jobs`"))
    difference = _differ(described, there, f"flags of {name}", PAGE["CLI"])
    assert not difference, difference


def test_every_variable_has_its_row(tmp_path: Path) -> None:
    """The table has each variable that the code reads, and no other."""
    noting = _Noting()
    Settings.from_env(noting)
    noting[KEY_FILE] = str(tmp_path / "key")
    (tmp_path / "key").write_text("key")
    GeminiSettings.from_env(noting)
    written = re.compile(r'"((?:LANGFLIX|GEMINI)_[A-Z_]+)"')
    read = {
        name
        for path in (pages.ROOT / "src/langflix").rglob("*.py")
        for name in written.findall(path.read_text("utf-8"))
    }
    internal = {PARENT}  # a process tells its own child
    described = _rows(pages.section(CLI, "Variables"))
    there = (read | noting.asked) - internal
    difference = _differ(described, there, "variables", PAGE["CLI"])
    assert not difference, difference


def test_what_holds_without_a_variable() -> None:
    """A default in the table that is a value is the one that the code has."""
    rows = pages.tables(pages.section(CLI, "Variables"))[0]
    told = {row[0].strip("`"): row[1].strip("`") for row in rows if row[1].startswith("`")}
    named = {name: value for name, value in told.items() if "GEMINI" not in name}
    assert Settings.from_env(named) == Settings.from_env({})
    assert len(named) > 10


def test_exit_codes() -> None:
    """Each exit code has its row."""
    raised = {
        str(kind.exit_code)
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.LangflixError)
    }
    rows = {row[0] for row in pages.tables(pages.section(CLI, "Exit codes"))[0]}
    assert rows == raised | {"0", "130", str(NOBODY_READS)}
