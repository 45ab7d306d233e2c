"""``deploy/vendored.toml`` is read strictly, all its problems at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.bills.declared import FILE, read_declared
from slipway.errors import ConfigError
from slipway.supply.locks import read_python

ROOT = Path(__file__).parents[3]


def written(folder: Path, text: str) -> Path:
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return folder


def test_no_file_declares_nothing(tmp_path: Path) -> None:
    """An application whose wheels carry nothing needs no such file."""
    assert read_declared(tmp_path) == ()


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    """Each wrong field is named with its place."""
    text = """
format = 1
[[inside]]
wheel = "a"
purl = "pkg:generic/b@1"
files = []
pattern = "("
licence = "Mine"
extra = 1
[[inside]]
wheel = "a"
purl = "no"
files = ["x"]
version = "1"
untold = "nobody says"
"""
    with pytest.raises(ConfigError) as caught:
        read_declared(written(tmp_path, text))

    told = "\n".join(caught.value.details)
    for what in (
        "inside[0].purl: should have no version",
        "inside[0].files: should name a file",
        "inside[0].pattern: is no regular expression",
        "inside[0].licence: should be an SPDX expression",
        "inside[0].extra: is unknown",
        "inside[1]: should have one of",
        "inside[1].purl: is no package URL",
    ):
        assert f"{FILE}: {what}" in told


def test_a_stated_version_says_of_which_wheel_and_where(tmp_path: Path) -> None:
    """A version that the bytes don't tell holds for one wheel only."""
    text = 'format = 1\n[[inside]]\nwheel = "a"\npurl = "pkg:generic/b"\nfiles = ["x"]\n'

    with pytest.raises(ConfigError) as caught:
        read_declared(written(tmp_path, f'{text}version = "1"\n'))

    assert [line.split(": ")[1] for line in caught.value.details] == [
        "inside[0].wheel-version",
        "inside[0].source",
    ]


def test_the_committed_file_speaks_of_locked_wheels() -> None:
    """No entry outlives its wheel."""
    wheels = read_python(ROOT / "nix/locks/python.json").wheels

    assert {entry.wheel for entry in read_declared(ROOT)} <= set(wheels)
