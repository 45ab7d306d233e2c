"""The door to the program that reads Compose files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.composing import model

from slipway.doors import Completed
from slipway.errors import BuildError, CommandFailed, ConfigError
from slipway.stack.compose import ComposeModel, DotEnv, Request, Variable
from slipway.testing import FakeShell

REQUEST = Request(
    "demo",
    Path("/c/deploy"),
    (("deploy/a.yml", "services: {}"),),
    ({"A": "1"}, DotEnv(Path("/c/deploy/.env"), "deploy/.env")),
)


def test_the_request() -> None:
    """Sources of variables keep their order, the strongest first; every profile is asked for."""
    assert REQUEST.to_json() == {
        "format": 1,
        "project": "demo",
        "folder": "/c/deploy",
        "files": [{"name": "deploy/a.yml", "text": "services: {}"}],
        "environment": [
            {"values": {"A": "1"}},
            {"file": "/c/deploy/.env", "name": "deploy/.env"},
        ],
        "profiles": ["*"],
    }


@pytest.mark.parametrize("reply", [b"", b"Segmentation fault", 2])
def test_a_program_without_an_answer_is_an_error(reply: bytes | int) -> None:
    """Whatever is wrong with the program, the person reads a sentence and what to do."""
    shell = FakeShell()
    shell.on("/p", reply=reply)
    with pytest.raises(BuildError, match="gave no answer; nothing was changed") as caught:
        ComposeModel(shell, Path("/p")).read(REQUEST)
    assert "rm -r .slipway/programs" in (caught.value.hint or "")
    assert caught.value.stage == "config"
    assert len(caught.value.details) == (reply != 2)


def test_what_the_program_says_of_its_end_is_shown() -> None:
    """Its last words are what tells why."""

    class Broken(FakeShell):
        def run(self, argv: Sequence[str], **how: Any) -> Completed:
            assert (tuple(argv), json.loads(how["input"])) == (("/p",), REQUEST.to_json())
            assert 0 < how["timeout"] < 600
            raise CommandFailed(argv, 2, "panic: out of cheese", where="this machine")

    with pytest.raises(BuildError) as caught:
        ComposeModel(Broken(), Path("/p")).read(REQUEST)
    assert caught.value.details == ("panic: out of cheese",)


def answered(**answer: Any) -> FakeShell:
    """A machine on which the program answers so."""
    whole = {"problems": [], "variables": [], "warnings": [], "model": None, **answer}
    shell = FakeShell()
    shell.on("/p", reply=json.dumps(whole).encode())
    return shell


def test_the_answer_becomes_a_model() -> None:
    """Services stand in the files' order, and warnings of both readers are told."""
    keys = ("name", "required", "default", "alternate", "value")
    variable = dict(zip(keys, ("A", True, "d", "t", "1"), strict=True))
    shell = answered(
        model={
            "document": {"services": {"a": {"image": "i"}, "b": {"image": "j"}}},
            "order": ["b", "a"],
            "top": {"x-slipway": {"url": "u"}},
            "services": {"a": {}, "b": {"x-slipway": {"roll": True}}},
        },
        variables=[{**variable, "where": ["deploy/a.yml:1 services"]}],
        warnings=["odd"],
    )
    files = (("deploy/a.yml", "services: {b: yes}"), ("deploy/b.yml", "x: no"))
    request = Request("demo", Path("/c"), files)
    found = ComposeModel(shell, Path("/p")).read(request)
    assert list(found.document["services"].items()) == [
        ("b", {"image": "j"}),
        ("a", {"image": "i"}),
    ]
    assert list(found.services.items()) == [("b", {"x-slipway": {"roll": True}}), ("a", {})]
    assert found.top == {"x-slipway": {"url": "u"}}
    assert found.variables == (Variable("A", True, "d", "t", "1", ("deploy/a.yml:1 services",)),)
    assert found.warnings[0].startswith("deploy/a.yml: services.b: yes is ")
    assert found.warnings[1].startswith("deploy/b.yml: x: no is ")
    assert found.warnings[2:] == ("odd",)


def test_no_services_are_an_empty_map() -> None:
    """What the program calls nothing is nothing to go through."""
    empty = {"document": {"services": None}, "order": [], "top": {}, "services": {}}
    assert ComposeModel(answered(model=empty), Path("/p")).read(REQUEST).document["services"] == {}


def refused(request: Request, *problems: tuple[str, str, str, int]) -> ConfigError:
    """What a person is told of the program's problems: file, path, what, line."""
    keys = ("file", "path", "what", "line")
    shell = answered(problems=[dict(zip(keys, one, strict=True)) for one in problems])
    with pytest.raises(ConfigError) as caught:
        ComposeModel(shell, Path("/p")).read(request)
    return caught.value


def test_problems_have_their_place() -> None:
    """File, path and line are told as far as they are known."""
    known, nowhere = ("a.yml", "services.a", "is odd", 3), ("", "", "is odd", 0)
    found = refused(REQUEST, known, ("a.yml", "", "is odd", 0), nowhere)
    assert found.details == (
        "the stack: a.yml: services.a: is odd (line 3)",
        "the stack: a.yml: is odd",
        "the stack: is odd",
    )
    assert found.hint is None


def test_where_to_set_a_variable_is_told() -> None:
    """The files that set variables are named when one is missing, and only then."""
    hint = refused(REQUEST, ("a.yml", "x", "A is not set", 1), ("", "", "is odd", 0)).hint
    assert hint is not None
    assert "deploy/.env" in hint
    assert "deploy/hosts.toml" in hint


def test_a_file_that_is_no_yaml_is_told_once() -> None:
    """Compose's own sentence on a file that was looked over already is left out, no other."""
    request = Request("demo", Path("/d"), (("a.yml", "a: ["), ("b.yml", "{}")))
    found = refused(
        request,
        ("a.yml", "", "is no YAML: bad", 0),
        ("a.yml", "", "is odd", 0),
        ("b.yml", "", "is no YAML: odd", 0),
    )
    assert found.details[:2] == ("the stack: a.yml: is odd", "the stack: b.yml: is no YAML: odd")
    assert found.details[2].startswith("the stack: a.yml: is no YAML: line 2, column 1: ")
    assert len(found.details) == 3


def test_a_file_without_an_end_is_not_even_asked_about() -> None:
    """A small file that stands for millions of values never reaches the program."""
    request = Request("demo", Path("/d"), (("a.yml", "a: &a [*a]"),))
    with pytest.raises(ConfigError) as caught:
        ComposeModel(FakeShell(), Path("/p")).read(request)
    assert caught.value.details == ("the stack: a.yml: refers to itself, or is too big",)


def test_variables_and_their_values() -> None:
    """What the files mention is listed with default, value and place; the rest stays out."""
    text = "services: {a: {image: '${A:-x}'}}"
    found = model([("a.yml", text)], {"A": "1", "B": "2"})
    (one,) = found.variables
    assert (one.name, one.default, one.value) == ("A", "x", "1")
    assert one.where == ("a.yml:1 services.a.image",)
    assert found.value("A") == "1"
    assert found.value("B") is None


def test_what_the_program_answers_is_json() -> None:
    """Names that no text can hold reach the program, and come back as Compose has them."""
    found = model([("a.yml", "services: {a: {image: i, command: ['$A']}}")], {"A": "x\udce9"})
    assert json.dumps(found.document["services"]["a"]["command"]) == '["x\\ufffd"]'
