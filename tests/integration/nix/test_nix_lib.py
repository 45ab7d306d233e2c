"""The pure Nix functions: every test of nix/tests under its own name."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def evaluate(attribute: str) -> subprocess.CompletedProcess[str]:
    argv = ["nix-instantiate", "--eval", "--strict", "--json", "nix/tests", "-A", attribute]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@cache
def value(attribute: str) -> Any:
    done = evaluate(attribute)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "nix_id" in metafunc.fixturenames:
        metafunc.parametrize("nix_id", value("ids"))
    if "error_case" in metafunc.fixturenames:
        cases = value("errorIds")
        metafunc.parametrize("error_case", cases, ids=[case["id"] for case in cases])


def test_value(nix_id: str) -> None:
    """The function gives the value that its test expects."""
    wrong = [failure for failure in value("failures") if failure["id"] == nix_id]

    assert wrong == []


def test_error(error_case: dict[str, str]) -> None:
    """The function refuses bad input with a sentence that names it."""
    done = evaluate(f'exprs."{error_case["id"]}"')

    assert done.returncode != 0
    assert error_case["expected"] in done.stderr


def test_every_function_has_a_test() -> None:
    """No function of nix/lib is without a test."""
    assert value("uncovered") == []
    assert value("modulesWithoutTests") == []


def test_every_function_is_used() -> None:
    """No function of nix/lib is there for its own test only."""
    text = {path: path.read_text("utf-8") for path in (ROOT / "nix").rglob("*.nix")}
    code = "\n".join(
        re.sub(r"/\*.*?\*/|#[^\n]*", "", text[path], flags=re.DOTALL)
        for path in text
        if "tests" not in path.parts
    )
    functions = [name.partition(".")[2] for name in value("functions")]

    assert functions
    # Once where it is defined, and at least once more.
    assert [one for one in functions if len(re.findall(rf"\b{one}\b", code)) < 2] == []
