"""Exceptions and VEX statements are read strictly: a reason and an end each."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from slipway.audit.statements import EXCEPTIONS, VEX, absent_packages, read_statements
from slipway.errors import ConfigError

ROOT = Path(__file__).parents[3]


def written(root: Path, name: str, text: str) -> Path:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(text)
    return root


def vex(root: Path, **changes: Any) -> Path:
    row = {
        "id": "CVE-1",
        "analysis": {"state": "not_affected", "detail": "why"},
        "affects": [{"ref": "pkg:golang/stdlib@1"}],
        "properties": [{"name": "slipway:until", "value": "2027-01-31"}],
    }
    rows = [{**row, **changes}]
    value = {"bomFormat": "CycloneDX", "specVersion": "1.6", "vulnerabilities": rows}
    return written(root, VEX, json.dumps(value))


def test_without_files_there_are_none(tmp_path: Path) -> None:
    """Both files may be absent."""
    assert read_statements(tmp_path) == ()


def test_an_exception(tmp_path: Path) -> None:
    """Id, package, reason and the last day."""
    text = 'format = 1\n[[exception]]\nid = "CVE-1"\nreason = "r"\nuntil = 2027-01-31\n'

    (one,) = read_statements(written(tmp_path, EXCEPTIONS, text))

    assert (one.id, one.package, one.until) == ("CVE-1", "", date(2027, 1, 31))


def test_every_problem_of_an_exception_is_told(tmp_path: Path) -> None:
    """No reason, no day, a misspelt key."""
    text = 'format = 1\n[[exception]]\nid = "C"\nreason = " "\nuntil = "soon"\npackages = "a"\n'

    with pytest.raises(ConfigError) as caught:
        read_statements(written(tmp_path, EXCEPTIONS, text))

    told = "\n".join(caught.value.details)
    for what in ("[0].until: should be a day", "[0].reason: should say", "packages: is unknown"):
        assert what in told


def test_a_vex_statement(tmp_path: Path) -> None:
    """What is not affected is excused, what is exploitable is not."""
    (one,) = read_statements(vex(tmp_path))
    assert (one.id, one.package, one.reason) == ("CVE-1", "pkg:golang/stdlib@1", "why")
    assert (one.until, one.affected) == (date(2027, 1, 31), False)

    (one,) = read_statements(vex(tmp_path, analysis={"state": "exploitable", "detail": "yes"}))
    assert one.affected


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"properties": []}, "should have a property slipway:until"),
        ({"properties": [{"name": "slipway:until", "value": "soon"}]}, "should have a property"),
        ({"analysis": {"state": "not_affected"}}, "analysis.detail: is missing"),
        ({"affects": []}, "affects: is missing"),
        ({"analysis": {"state": "fine"}}, "is not CycloneDX 1.6"),
    ],
)
def test_a_vex_statement_that_says_too_little(
    tmp_path: Path, changes: dict[str, Any], what: str
) -> None:
    """Each is refused with what it lacks."""
    with pytest.raises(ConfigError) as caught:
        read_statements(vex(tmp_path, **changes))
    assert what in "\n".join(caught.value.details)


def test_vex_that_is_no_json(tmp_path: Path) -> None:
    """It is refused with a sentence."""
    with pytest.raises(ConfigError, match="has 1 problem"):
        read_statements(written(tmp_path, VEX, "{"))


def test_the_committed_statements() -> None:
    """Each is valid; each of code that is not there names what the bytes don't hold."""
    assert {one.place for one in read_statements(ROOT)} <= {VEX}
    assert all(absent_packages(ROOT).values())


def test_what_is_said_to_be_absent(tmp_path: Path) -> None:
    """The packages that a statement of absent code names, none where it names none."""
    absent = {"state": "not_affected", "justification": "code_not_present", "detail": "why"}
    named = {"name": "slipway:without", "value": "net/mail"}

    assert absent_packages(tmp_path) == {}
    assert absent_packages(vex(tmp_path)) == {}
    assert absent_packages(vex(tmp_path, analysis=absent)) == {"CVE-1": ()}
    assert absent_packages(vex(tmp_path, analysis=absent, properties=[named])) == {
        "CVE-1": ("net/mail",)
    }
