"""The bills of materials beside what a scanner finds in the very same images."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from slipway import config
from slipway.app.bills import make_bills
from slipway.app.workspace import Workspace
from slipway.audit.statements import absent_packages, read_vex
from slipway.bills.files import files_of
from slipway.bills.values import DEB, GO, WHEEL, Bill
from slipway.images.archive import archive
from slipway.images.transfer import whole
from slipway.images.values import Image
from slipway.report import Report
from slipway.shell import LocalShell
from slipway.supply import gotool

ROOT = Path(__file__).parents[3]
ROLES = config.load(ROOT).roles
#: Syft's name of a type to ours.
TYPES = {"deb": DEB, "python": WHEEL, "go-module": GO}


@cache
def images() -> tuple[Image, ...]:
    return Workspace(ROOT, Report(quiet=True), shell=LocalShell()).images(locked=True)


@cache
def bills() -> dict[str, Bill]:
    return {bill.role: bill for bill in make_bills(ROOT, images(), Report(quiet=True))}


@pytest.fixture(scope="session")
def syft() -> Path:
    """The program, as its package on the Python index brings it."""
    return Path(sys.executable).parent / "syft"


def scanned(syft: Path, image: Image, folder: Path) -> set[tuple[str, str, str]]:
    """(type, name, version) of everything that syft finds in an image."""
    file = folder / "image.tar"
    with file.open("wb") as target:
        for chunk in archive(whole([image])):
            target.write(chunk)
    done = subprocess.run(
        [str(syft), "scan", "--quiet", "--output", "json", f"docker-archive:{file}"],
        env={**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    file.unlink()
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["artifacts"]
    return {(TYPES.get(row["type"], row["type"]), row["name"], row["version"]) for row in rows}


@pytest.mark.parametrize("role", ROLES)
def test_a_bill_is_what_syft_sees_and_what_it_cannot(syft: Path, role: str, tmp_path: Path) -> None:
    """Type, name and version: the same set, but for what lies inside of other components."""
    (image,) = (image for image in images() if image.role == role)
    bill = bills()[role]

    seen = scanned(syft, image, tmp_path)

    plain = {(one.kind, one.name, one.version) for one in bill.components if not one.carrier}
    inside = {(one.kind, one.name, one.version) for one in bill.components if one.carrier}
    assert plain == seen
    assert plain
    assert not inside & seen, "syft sees it by now: it needs no carrier"


def test_every_component_of_a_bill_is_known() -> None:
    """Packages and wheels have the lock's hash, our programs a version, none is told twice."""
    for bill in bills().values():
        for one in bill.components:
            if one.kind in (DEB, WHEEL):
                assert re.fullmatch(r"[0-9a-f]{64}", one.sha256), one
            assert "devel" not in one.version and (one.version or one.evidence), one
        keys = [(one.carrier, one.purl) for one in bill.components]
        assert len(keys) == len(set(keys))


def test_what_scanners_cannot_see_is_told_with_its_version() -> None:
    """psycopg's libraries, the static ffmpeg and Flower's scripts stand in the bills."""
    told = {
        role: {one.name: one.version for one in bill.components if one.carrier}
        for role, bill in bills().items()
    }

    assert told["api"]["openssl"].startswith("3.")
    assert int(told["api"]["postgresql"].split(".")[0]) >= 17
    assert told["worker"]["ffmpeg"] == "7.0.2"
    assert told["flower"]["jquery"] and told["flower"]["bootstrap"]
    assert "ffmpeg" not in told["api"]


@cache
def go_programs() -> dict[str, bytes]:
    """The bytes of every Go program in the images, by its path there."""
    held: dict[str, bytes] = {}
    for image in images():
        files = files_of(image)
        for one in bills()[image.role].components:
            if one.name == "stdlib":
                held |= {path: files.read(path.lstrip("/")) for path in one.places}
    return held


def untrue(absent: Mapping[str, Sequence[str]]) -> set[tuple[str, str, str]]:
    """(id, package, program) where a program holds a Go package that it is said not to hold."""
    return {
        (id_, package, path.rpartition("/")[2])
        for id_, packages in absent.items()
        for package in packages
        for path, data in go_programs().items()
        if f"{package}.".encode() in data
    }


def test_vex_statements_are_true_of_the_bytes() -> None:
    """A Go package that is said to be in no program is in none, whichever image it is in."""
    ours = {path.parent.name for path in (ROOT / "nix/go").glob("*/main.go")} - {"compose-model"}
    assert {path.rpartition("/")[2] for path in go_programs()} == ours

    assert untrue(absent_packages(ROOT)) == set()


def test_an_untrue_vex_statement_is_found() -> None:
    """What looks for packages sees those that are there, and in every program."""
    every = {path.rpartition("/")[2] for path in go_programs()}

    assert untrue({"a": ["runtime"]}) == {("a", "runtime", name) for name in every}
    assert ("b", "crypto/tls", "certificate") in untrue({"b": ["database/sql", "crypto/tls"]})
    assert ("c", "os/exec", "edge") in untrue({"c": ["os/exec"]})
    assert ("c", "os/exec", "probe") not in untrue({"c": ["os/exec"]})
    assert untrue({"d": ["database/sql"]}) == set()


def test_programs_and_vex_statements_are_of_the_go_that_go_mod_names() -> None:
    """A newer Go makes statements about the one before obsolete; this fails until they are gone."""
    stdlib = f"pkg:golang/stdlib@{gotool.named(ROOT / 'nix/go').removeprefix('go')}"
    built_by = {
        one.purl for bill in bills().values() for one in bill.components if one.name == "stdlib"
    }

    assert built_by == {stdlib}
    spoken_of = {one.package for one in read_vex(ROOT)}
    assert {one for one in spoken_of if one.startswith("pkg:golang/stdlib")} <= {stdlib}
