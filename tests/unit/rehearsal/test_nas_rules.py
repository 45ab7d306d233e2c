"""The stand-in's rules: filters, arguments in two dialects, states, files that go to the host."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.hosts.rehearsal import nasfiles
from slipway.hosts.rehearsal.nas import (
    appfiles,
    applogs,
    appstates,
    catalogue,
    checks,
    filters,
    releases,
    yamls,
)
from slipway.hosts.rehearsal.nas.checks import Field
from slipway.hosts.rehearsal.nas.errors import CallError, MatchNotFound, ValidationErrors

ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": "web", "deep": {"size": 5}, "list": [{"a": 1}]},
    {"id": 2, "name": "Db", "deep": {"size": 3}, "list": []},
    {"id": 3, "name": None, "deep": {"size": 4}, "list": []},
]
RELEASES = list(nasfiles.RELEASES.values())
NAMES = list(nasfiles.RELEASES)
ARGUMENTS = (
    Field("name", pattern="^[a-z]+$", least=1, most=3),
    Field(
        "options",
        "table",
        {},
        (
            Field("flag", "bool", False),
            Field("count", "int", 1),
            Field("kind", "str", "a", choices=("a", "b", "c")),
            Field("word", "str", None, null=True, secret=True),
        ),
        model="Options",
    ),
)


def _ids(wanted: list[Any], **options: Any) -> list[int]:
    return [row["id"] for row in filters.query(ROWS, wanted, options)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([], [1, 2, 3]),
        ([["id", "=", 2]], [2]),
        ([["id", "in", [1, 3]]], [1, 3]),
        ([["name", "^", "w"]], [1]),
        ([["name", "!^", "w"]], [2]),
        ([["name", "C=", "DB"]], [2]),
        ([["name", "~", "w.b"]], [1]),
        ([["deep.size", ">", 3], ["id", "<", 3]], [1]),
        ([["list.0.a", "=", 1]], [1]),
        ([["gone", "=", None]], []),
        ([["OR", [["id", "=", 1], ["name", "=", "Db"]]]], [1, 2]),
        ([["OR", [[["id", "=", 1], ["name", "=", "x"]], ["id", "=", 3]]]], [3]),
    ],
)
def test_filters(wanted: list[Any], found: list[int]) -> None:
    """Each operator, paths with dots, and either-or."""
    assert _ids(wanted) == found


def test_options_of_queries() -> None:
    """Order, with nothing first or last; a limit; one row; a number; some keys."""
    assert _ids([], order_by=["-deep.size"]) == [1, 3, 2]
    assert _ids([], order_by=["nulls_first:name"]) == [3, 2, 1]
    assert _ids([], order_by=["nulls_last:-name"]) == [1, 2, 3]
    assert _ids([], offset=1, limit=1) == [2]
    assert filters.query(ROWS, [], {"count": True}) == 3
    assert filters.query(ROWS, [["id", "=", 2]], {"get": True})["name"] == "Db"
    picked = filters.query(ROWS, [], {"select": ["deep.size", ["id", "number"]], "limit": 1})
    assert picked == [{"deep": {"size": 5}, "number": 1}]
    with pytest.raises(MatchNotFound):
        filters.query(ROWS, [["id", "=", 9]], {"get": True})


@pytest.mark.parametrize("wanted", [[["id", "=="]], [["id", "is", 1]], [["OR", []]], [["a"]]])
def test_filters_that_are_none(wanted: list[Any]) -> None:
    """They are refused, never passed over."""
    with pytest.raises(ValueError):
        filters.query(ROWS, wanted, {})


def _wrong(given: list[Any], *, strict: bool) -> list[tuple[str | None, str]]:
    with pytest.raises(ValidationErrors) as refused:
        checks.accept(ARGUMENTS, given, strict=strict)
    return [(name, text) for name, text, _ in refused.value]


def test_arguments_get_their_defaults() -> None:
    """What isn't given is there; a table is filled in, too."""
    whole = {"flag": False, "count": 1, "kind": "a", "word": None}
    assert checks.accept(ARGUMENTS, ["abc"], strict=True) == ["abc", whole]
    told = checks.accept(ARGUMENTS, ["abc", {"flag": True}], strict=False)
    assert told == ["abc", whole | {"flag": True}]


def test_all_that_is_wrong_is_said_strictly() -> None:
    """Pydantic's words, in the order of the fields, unknown keys last."""
    given = [7, {"x": 1, "flag": "true", "count": True, "kind": "z", "word": 1}]
    assert _wrong(given, strict=True) == [
        ("name", "Input should be a valid string"),
        ("options.flag", "Input should be a valid boolean"),
        ("options.count", "Input should be a valid integer"),
        ("options.kind", "Input should be 'a', 'b' or 'c'"),
        ("options.word", "Input should be a valid string"),
        ("options.x", "Extra inputs are not permitted"),
    ]
    assert _wrong([], strict=True) == [("name", "Field required")]
    least, most = (
        "String should have at least 1 character",
        "String should have at most 3 characters",
    )
    assert _wrong([""], strict=True) == [("name", least)]
    assert _wrong(["abcd"], strict=True) == [("name", most)]
    assert _wrong(["a", 1], strict=True) == [
        ("options", "Input should be a valid dictionary or instance of Options")
    ]
    assert _wrong(["a", {}, 1], strict=True) == [("", "Too many arguments (expected 2, found 3)")]


def test_all_that_is_wrong_is_said_leniently() -> None:
    """The older words; a number is a text, too."""
    given = ["a", {"x": 1, "flag": "true", "count": "1", "kind": "z"}]
    assert _wrong(given, strict=False) == [
        ("options.flag", "Not a boolean"),
        ("options.count", "Not an integer"),
        ("options.kind", "Invalid choice: z"),
        ("options.x", "Field was not expected"),
    ]
    assert _wrong([None], strict=False) == [("name", "null not allowed")]
    number = (Field("name"),)
    assert checks.accept(number, [7], strict=False) == ["7"]
    with pytest.raises(CallError, match="Too many arguments"):
        checks.accept(number, ["a", "b"], strict=False)


def test_secrets_are_not_shown() -> None:
    """Also in arguments that are wrong; what wasn't given isn't there."""
    told = checks.shown(ARGUMENTS, ["a", {"word": "s3cret", "x": 1}, "more"])

    assert told == ["a", {"word": "********", "x": 1}, "more"]


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ({"Status": "running"}, "running"),
        ({"Status": "running", "Health": {"Status": "healthy"}}, "running"),
        ({"Status": "running", "Health": {"Status": "starting"}}, "starting"),
        ({"Status": "running", "Health": {"Status": "unhealthy"}}, "starting"),
        ({"Status": "created"}, "created"),
        ({"Status": "exited", "ExitCode": 1}, "crashed"),
        ({"Status": "exited", "ExitCode": 137}, "crashed"),
        ({"Status": "exited", "ExitCode": 0}, "exited"),
        ({"Status": "restarting", "ExitCode": 1}, "exited"),
        ({"Status": "paused"}, "exited"),
        ({"Status": "dead"}, "exited"),
    ],
)
def test_states_of_containers(state: dict[str, Any], found: str) -> None:
    """As TrueNAS reads Docker's."""
    assert appstates.container_state(state) == found


@pytest.mark.parametrize(
    ("states", "found"),
    [
        (["running", "exited"], "RUNNING"),
        (["running", "starting"], "DEPLOYING"),
        (["created", "exited"], "DEPLOYING"),
        (["starting", "crashed", "running"], "CRASHED"),
        (["exited", "exited"], "STOPPED"),
        ([], "STOPPED"),
    ],
)
def test_states_of_apps(states: list[str], found: str) -> None:
    """In the order in which TrueNAS asks."""
    assert appstates.app_state(states) == found


def test_portals_and_notes() -> None:
    """A usual port isn't named, an IPv6 address is in brackets; one that is wrong spoils all."""
    right = {"name": "a", "scheme": "https", "host": "::", "port": 443, "path": "/x"}
    wrong = {"name": "b", "scheme": "ftp", "host": "h", "port": 21}
    told = appfiles.portals_and_notes({"x-portals": [right], "x-notes": "hi"})

    assert told == {"portals": {"a": "https://[::]/x"}, "notes": "hi"}
    nothing: dict[str, object] = {"portals": {}, "notes": None}
    assert appfiles.portals_and_notes({"x-portals": [right, wrong], "x-notes": "hi"}) == nothing
    assert appfiles.portals_and_notes({"x-portals": 7}) == nothing
    assert appfiles.portals_and_notes({}) == nothing


@pytest.mark.parametrize(
    ("text", "value"),
    [("22:22", 1342), ("8080:80", "8080:80"), ("0755", 493), ("on", True), ("12:30:45", 45045)],
)
def test_yaml_is_that_of_1_1(text: str, value: object) -> None:
    """The traps of unquoted texts; written again with quotes they stay what they became."""
    assert yamls.load(f"- {text}") == [value]
    for quotes in (True, False):
        assert yaml.safe_load(yamls.dump([value, text], quotes=quotes)) == [value, text]
    assert yamls.dump(["a"], quotes=True) == '- "a"\n'


@pytest.mark.parametrize("release", RELEASES, ids=NAMES)
def test_files_for_the_host(release: releases.Release) -> None:
    """The packages are whole: each module that one imports goes along, none is left over."""
    rows = {row.path: row.text for row in nasfiles.files(release)}
    assert all(row.owner == 0 for row in nasfiles.files(release))
    for folder in (nasfiles.SERVER, nasfiles.CLIENT):
        there = {Path(path).stem for path in rows if Path(path).parent == Path(folder)}
        needed = {"__init__", "__main__"} if folder == nasfiles.SERVER else {"__init__", "dialect"}
        for path, text in rows.items():
            if Path(path).parent == Path(folder) and path.endswith(".py"):
                needed |= _siblings(text)
        assert needed == there
    assert "middlewared" in " ".join(nasfiles.service(release))
    assert release.name in nasfiles.service(release)


def _siblings(text: str) -> set[str]:
    """The modules of its own package that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = {alias.name for alias in node.names}
            found |= {node.module} if node.module else names
    return found


def test_programs_for_the_host_stand_alone() -> None:
    """The standard library, their own package, and PyYAML, which a TrueNAS has."""
    for path in nasfiles.PROGRAMS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for name in names:
                assert name.partition(".")[0] in sys.stdlib_module_names | {"yaml"}, (path, name)
        assert len(path.read_text("utf-8").splitlines()) < 300, path


def test_the_page_names_every_method() -> None:
    """The page about the stand-in has a row for each method, and none for others."""
    page = Path(__file__).parents[3] / "docs/reference/stand-in.md"
    spaces = "app|auth|core|docker|filesystem|group|pool|service|system|user|zfs"
    said = set(re.findall(rf"`((?:{spaces})\.[a-z_.]+)`", page.read_text("utf-8")))
    known = {method.name for release in RELEASES for method in catalogue.methods(release)}

    assert said == known | {applogs.NAME}
