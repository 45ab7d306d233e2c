"""How failed tests are told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.telling import bytes_differ, last_words

ROOT = Path(__file__).resolve().parents[3]
SCREEN = 2_000


def test_where_they_differ_is_told() -> None:
    """With both sides from there on."""
    left, right = b"x" * 1000 + b"why", b"x" * 5000
    told = "\n".join(bytes_differ(left, right) or ())
    assert "1,003 bytes == 5,000 bytes" in told
    assert "from byte 1,000 on" in told
    assert "b'why'" in told
    assert "and 3,800 more" in told


def test_short_ones_are_told_as_they_are() -> None:
    """Nothing is gained there."""
    assert bytes_differ(b"x" * 200, b"y") is None


@given(st.binary(), st.binary(), st.integers(1, 5))
def test_it_fits_on_a_screen(left: bytes, right: bytes, times: int) -> None:
    """However long they are."""
    left, right = left * 50 * times, right * 300 * times
    assert len("".join(bytes_differ(left, right) or ())) < SCREEN


def test_all_that_failed_is_named_unless_it_is_too_much() -> None:
    """Nothing is said where nothing failed."""
    assert list(last_words([])) == []
    assert list(last_words(["a", "b"])) == ["2 failed:", "  a", "  b"]
    assert list(last_words([str(i) for i in range(53)]))[-1] == "  and 3 more"


def test_the_last_lines_of_a_run_name_them(tmp_path: Path) -> None:
    """After pytest's own; with the long assertion cut, as continuous integration has it."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "def test_fails(): assert b'' == bytes(range(256)) * 20_000\n"
        "def test_passes(): pass\n"
        "@pytest.fixture\n"
        "def broken(): raise ValueError\n"
        "def test_errs(broken): pass\n"
    )
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-ra", "test_it.py"]
    env = {"CI": "true", "PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-3:] == [
        "2 failed:", "  test_it.py::test_fails", "  test_it.py::test_errs",
    ]  # fmt: skip
    assert len(done.stdout) < 2 * SCREEN
