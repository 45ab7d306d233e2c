"""The address that a distribution ships for Debian's archive is in its own debootstrap."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from slipway.report import Report
from slipway.supply.mirrors import Finder
from slipway.testing import FakeShell

PROGRAM = Path("/usr/sbin/debootstrap")


@pytest.mark.skipif(not PROGRAM.exists(), reason="debootstrap is not installed; ./inv test does")
def test_the_real_one_names_an_archive(tmp_path: Path) -> None:
    """With apt set to Ubuntu only, the mirrors are the real debootstrap's."""
    lists = tmp_path / "etc/apt/sources.list.d"
    lists.mkdir(parents=True)
    text = "Types: deb\nURIs: http://a.example/ubuntu/\nSuites: noble\nComponents: main\n"
    (lists / "ubuntu.sources").write_text(text)
    (tmp_path / "usr/sbin").mkdir(parents=True)
    shutil.copy(PROGRAM, tmp_path / "usr/sbin/debootstrap")

    found = Finder(FakeShell(), {}, {}, Report(quiet=True), root=tmp_path, may_install=False)()

    assert found.debian.startswith("http")
    assert found.debian.endswith("/debian")
    assert found.security.endswith("/debian-security")
