"""What an image holds is told, with where it comes from; what nobody knows of is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg.pq
import pytest
from tests.unit.bills import place

from slipway.bills.inventory import bill_of
from slipway.bills.programs import BuildInfo, read_build_info
from slipway.bills.values import Component
from slipway.bills.vendored import _returned
from slipway.errors import BuildError


def made(folder: Path) -> dict[str, Component]:
    bill = bill_of(place.image_at(folder), place.locks(), place.DECLARED)
    return {one.name: one for one in bill.components}


def test_a_debian_package(tmp_path: Path) -> None:
    """Version, source with its own version, the lock's hash and licences, as scanners name it."""
    one = made(tmp_path)["libfoo1"]

    assert one.purl == (
        "pkg:deb/debian/libfoo1@1.2-3%2Bb1?arch=amd64&distro=debian-13&upstream=foo%401.2-3"
    )
    assert (one.source, one.sha256) == ("foo 1.2-3", place.DEB_SHA)
    assert one.licences == ("GPL-2.0-or-later AND MIT", "MIT")
    assert one.carrier == ""


def test_a_wheel_and_what_its_own_bill_names(tmp_path: Path) -> None:
    """A wheel has the lock's name and hash; what its bill names is inside of it, itself is not."""
    found = made(tmp_path)
    wheel, sub = found["bar-baz"], found["libsub"]

    assert (wheel.version, wheel.sha256, wheel.licences) == ("2.0", place.WHEEL_SHA, ("MIT",))
    assert (sub.purl, sub.carrier) == ("pkg:rpm/centos/libsub@3", wheel.purl)
    assert sub.licences == ("Zlib",)
    assert "Bar_Baz" not in found


def test_a_library_in_a_wheel_has_the_version_of_its_bytes(tmp_path: Path) -> None:
    """A declared library is inside of its wheel, in the version that its bytes tell."""
    one = made(tmp_path)["openssl"]

    assert one.purl == "pkg:generic/openssl@3.5.9"
    assert one.carrier == "pkg:pypi/bar-baz@2.0"
    assert one.places == (f"/{place.SITE}/bar_baz.libs/libcrypto-1.so.3",)


def test_a_go_program(tmp_path: Path) -> None:
    """Its main module, the modules in it and Go's own library; other programs are none."""
    found = made(tmp_path)

    assert (found["x.y/probe"].version, found["z.w/lib"].version) == ("v1.0.0", "v0.2.0")
    assert found["stdlib"].purl == "pkg:golang/stdlib@1.24.4"
    assert {one.places for one in found.values() if one.kind == "golang"} == {("/usr/bin/probe",)}


def test_a_replaced_module_is_the_one_that_replaced_it() -> None:
    """The bytes are those of the replacement."""
    data = place.go_program("mod\ta\tv1\t\ndep\tb\tv2\th1:\n=>\tc\tv3\th1:\n" + "x" * 200)

    assert read_build_info(data) == BuildInfo("go1.24.4", (("a", "v1"), ("c", "v3")))
    assert read_build_info(b"\x7fELF") is None


@pytest.mark.parametrize(
    ("path", "text", "what"),
    [
        ("var/lib/dpkg/status.d/libfoo1", "Package: libfoo1\nVersion: 9\n", "libfoo1 9"),
        ("var/lib/dpkg/status.d/other", "Package: other\nVersion: 1\n", "the lock hasn't it"),
        (f"{place.SITE}/evil-1.dist-info/METADATA", "Name: evil\nVersion: 1\n\n", "wheel evil 1"),
    ],
)
def test_what_the_locks_do_not_know_is_refused(
    tmp_path: Path, path: str, text: str, what: str
) -> None:
    """A falsified package or wheel in an image: no bill, and a sentence that names it."""
    image = place.image_at(tmp_path, {**place.files(), path: text.encode()})

    with pytest.raises(BuildError, match=what):
        bill_of(image, place.locks(), place.DECLARED)


def test_a_library_that_nobody_declared_is_refused(tmp_path: Path) -> None:
    """Nothing goes unseen: every undeclared library is named at once."""
    with pytest.raises(BuildError) as caught:
        bill_of(place.image_at(tmp_path), place.locks(), ())

    assert len(caught.value.details) == 2
    assert caught.value.details[0].startswith("bar_baz.libs/libcrypto-1.so.3: is a library")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"pattern": "LibreSSL (.)"}, "the pattern finds nothing"),
        ({"files": ("gone/*",)}, "no file matches gone/"),
        (
            {"pattern": "", "version": "3", "wheel_version": "1.9", "source": "its notes"},
            "says what bar-baz 1.9 has, and the lock has 2.0: look at its notes",
        ),
        ({"pattern": "", "bill": "nothing"}, "the bill of bar-baz 2.0 names no nothing"),
        ({"pattern": "", "function": "f"}, "is no ELF library"),
    ],
)
def test_an_entry_that_holds_no_longer(tmp_path: Path, changes: dict[str, str], what: str) -> None:
    """When a wheel's successor is otherwise, the entry is named, and what is wrong with it."""
    declared = (replace(place.OPENSSL, **changes), place.SUB)  # type: ignore[arg-type]

    with pytest.raises(BuildError) as caught:
        bill_of(place.image_at(tmp_path), place.locks(), declared)

    assert caught.value.details[0].startswith("inside[0]: ")
    assert what in caught.value.details[0]


def test_an_entry_of_a_wheel_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    """Roles have different wheels, and one list serves them all."""
    other = replace(place.OPENSSL, wheel="other", files=("other.libs/*",))

    bill_of(place.image_at(tmp_path), place.locks(), (*place.DECLARED, other))


def test_the_number_in_machine_code_is_what_the_library_answers() -> None:
    """What is read of libpq's bytes is what the very same libpq says when it is asked."""
    libs = Path(psycopg.pq.__file__).parents[2] / "psycopg_binary.libs"
    (library,) = libs.glob("libpq-*")

    version = psycopg.pq.version()

    assert _returned(library.read_bytes(), "PQlibVersion") == f"{version // 10000}.{version % 100}"
    with pytest.raises(ValueError, match="exports no function"):
        _returned(library.read_bytes(), "PQnothing")
    with pytest.raises(ValueError, match="does more"):
        _returned(library.read_bytes(), "PQconnectdb")
