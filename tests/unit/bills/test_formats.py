"""Bills in the two formats: valid, whole, the same bytes each time; a falsified one is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from spdx_tools.spdx.parser.parse_anything import parse_file
from tests.unit.bills import place

from slipway.app.bills import check_bills, file_names, make_bills, texts, write_bills
from slipway.bills.cyclonedx import check, cyclonedx
from slipway.bills.inventory import bill_of
from slipway.bills.spdx import spdx
from slipway.bills.values import Bill
from slipway.errors import BuildError, ConfigError
from slipway.report import Report

QUIET = Report(quiet=True)


def bills(folder: Path) -> tuple[Bill, ...]:
    return tuple(
        bill_of(place.image_at(folder, role=role), place.locks(), place.DECLARED)
        for role in ("api", "worker")
    )


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    """No time, no chance: another run, from another folder, writes the same."""
    first, second = bills(tmp_path / "a"), bills(tmp_path / "b")

    for render in (cyclonedx, spdx):
        text = render(first, "app")
        assert render(second, "app") == text
        assert str(tmp_path) not in text
        assert '"1970-01-01T00:00:00' in text
        assert render(first[:1], "api") != text


def test_cyclonedx_has_what_is_inside_inside(tmp_path: Path) -> None:
    """The openssl of a wheel lies in the wheel's component, a package beside it."""
    value: Any = json.loads(cyclonedx(bills(tmp_path)[:1], "api"))

    rows = {row["name"]: row for row in value["components"]}
    assert value["specVersion"] == "1.6"
    assert set(rows) == {"libfoo1", "bar-baz", "x.y/probe", "z.w/lib", "stdlib"}
    assert [row["name"] for row in rows["bar-baz"]["components"]] == ["openssl", "libsub"] or [
        row["name"] for row in rows["bar-baz"]["components"]
    ] == ["libsub", "openssl"]
    assert rows["libfoo1"]["hashes"] == [{"alg": "SHA-256", "content": place.DEB_SHA}]
    top = value["metadata"]["component"]
    assert top["type"] == "container"
    (depends,) = (one for one in value["dependencies"] if one["ref"] == top["bom-ref"])
    assert len(depends["dependsOn"]) == 5


def test_a_release_names_its_images(tmp_path: Path) -> None:
    """The bill of several images has each as a container, and what they share once."""
    value: Any = json.loads(cyclonedx(bills(tmp_path), "app"))

    names = [row["name"] for row in value["components"]]
    assert {"app/api", "app/worker"} <= set(names)
    assert names.count("libfoo1") == 1
    (depends,) = (one for one in value["dependencies"] if one["ref"] == "app")
    assert len(depends["dependsOn"]) == 2


def test_spdx_is_read_by_others(tmp_path: Path) -> None:
    """Its own parser finds each package, its licence, and what contains what."""
    path = tmp_path / "api.spdx.json"
    path.write_text(spdx(bills(tmp_path / "i")[:1], "api"))

    document = parse_file(str(path))

    packages = {one.name: one for one in document.packages}
    assert set(packages) == {
        "app/api", "libfoo1", "bar-baz", "openssl", "libsub", "x.y/probe", "z.w/lib", "stdlib",
    }  # fmt: skip
    assert str(packages["libfoo1"].license_declared) == "GPL-2.0-or-later AND MIT"
    holds = {
        (one.spdx_element_id, one.related_spdx_element_id)
        for one in document.relationships
        if one.relationship_type.name == "CONTAINS"
    }
    assert (packages["bar-baz"].spdx_id, packages["openssl"].spdx_id) in holds
    assert (packages["app/api"].spdx_id, packages["openssl"].spdx_id) not in holds


def test_what_is_no_cyclonedx_is_refused() -> None:
    """The schema is the format's own."""
    with pytest.raises(BuildError, match=r"it is not CycloneDX 1\.6"):
        check('{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": 3}', "it")


def test_a_falsified_bill_is_refused(tmp_path: Path) -> None:
    """One other byte, or a file that is gone: each is named, and how to have the right ones."""
    made = bills(tmp_path / "i")
    files = texts(made, "app", "", QUIET)
    written = write_bills(tmp_path / "out", made, files)
    assert len(written.files) == 6
    assert check_bills(tmp_path / "out", made, files) == written

    bill = tmp_path / "out/api.cdx.json"
    bill.write_text(bill.read_text().replace("3.5.9", "3.5.8"))
    (tmp_path / "out/app.spdx.json").unlink()

    with pytest.raises(BuildError, match="2 of 6 bills") as caught:
        check_bills(tmp_path / "out", made, files)
    assert caught.value.details == (
        "api.cdx.json is not what the images are made of",
        "app.spdx.json can't be read: No such file or directory",
    )


def test_one_format_and_an_unknown_one(tmp_path: Path) -> None:
    """Only what is asked for is made; an unknown name is refused with the known ones."""
    made = bills(tmp_path)[:1]

    assert list(texts(made, "app", "spdx", QUIET)) == ["api.spdx.json"]
    with pytest.raises(ConfigError) as caught:
        texts(made, "app", "xml", QUIET)
    assert caught.value.hint == "the formats are cyclonedx, spdx"
    with pytest.raises(ConfigError, match="there is no format xml; nothing was built"):
        file_names(["api"], "app", "xml")


@pytest.mark.parametrize("only", ["", "spdx", "cyclonedx"])
@pytest.mark.parametrize("count", [1, 2])
def test_names_are_known_before_there_are_bills(tmp_path: Path, only: str, count: int) -> None:
    """Those that will be written, and no others; so that what stands in the way is seen first."""
    made = bills(tmp_path)[:count]
    roles = [bill.role for bill in made]
    assert file_names(roles, "app", only) == set(texts(made, "app", only, QUIET))


def test_how_far_it_is_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each image that is read and each bill that is written counts: both take seconds."""
    monkeypatch.setattr("slipway.app.bills.read_locks", lambda _: place.locks())
    monkeypatch.setattr("slipway.app.bills.read_declared", lambda _: place.DECLARED)
    monkeypatch.setattr("slipway.report.LOG_LINE_S", 0.0)
    talk = io.StringIO()
    images = [place.image_at(tmp_path, role=role) for role in ("api", "worker")]
    made = make_bills(tmp_path, images, Report(err=talk))
    texts(made, "app", "spdx", Report(err=talk))
    lines = [line.rstrip() for line in talk.getvalue().splitlines()]
    assert lines[:2] == ["  read  1 of 2 images  50 %  api", "  read  2 of 2 images 100 %  worker"]
    assert "  write  1 of 3 bills  33 %  api.spdx.json" in lines
    assert lines[-1].startswith("  write  3 of 3 bills 100 %  in ")
