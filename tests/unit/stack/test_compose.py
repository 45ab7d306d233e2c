"""The door to the program that reads Compose files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.composing import model

from slipway.errors import BuildError, ConfigError
from slipway.stack.compose import ComposeModel, DotEnv, Request
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
    assert caught.value.hint is not None


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
