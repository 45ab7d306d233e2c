"""Signed bills: who is believed, and which flags go together."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from slipway.app.bills import see_that_flags_fit, see_that_places_fit
from slipway.app.signed import believed, see_that_it_is_all
from slipway.errors import ConfigError
from slipway.report import Report
from slipway.testing import FakeShell


def test_without_signers_nobody_is_asked(tmp_path: Path) -> None:
    """That a signature was passed over is said; where there is nothing else, it is refused."""
    talk = io.StringIO()
    report = Report(err=talk)
    assert believed(FakeShell(), report, tmp_path, tmp_path) is None
    assert talk.getvalue() == ""

    (tmp_path / "SHA256SUMS.sig").write_text("x")
    assert believed(FakeShell(), report, tmp_path, tmp_path) is None
    assert "is signed, and there is no deploy/allowed_signers" in talk.getvalue()
    with pytest.raises(ConfigError, match="nobody can say what should run") as caught:
        believed(FakeShell(), report, tmp_path, tmp_path, needed=True)
    assert "./inv bills --sign KEY" in str(caught.value.hint)
    assert '`NAME namespaces="bills@slipway" KEY`' in str(caught.value.hint)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"check": "f", "sign": "k"}, "--sign and --check don't go together"),
        ({"host": "nas"}, "--host says where to compare"),
        ({"host": "nas", "check": "f", "own": ("api",)}, "--host compares all"),
    ],
)
def test_flags_that_would_be_passed_over_are_refused(flags: dict[str, Any], said: str) -> None:
    """Each with a sentence, before anything is done."""
    with pytest.raises(ConfigError, match=said):
        see_that_flags_fit(**{"check": "", "host": "", "sign": "", "own": (), **flags})
    see_that_flags_fit(check="f", host="nas", sign="", own=("", ""))


def test_folders_are_looked_at_before_anything_is_built(tmp_path: Path) -> None:
    """One to compare with that isn't there, or a file where one is named."""
    file = tmp_path / "file"
    file.write_text("")
    see_that_places_fit(check=str(tmp_path), output=str(tmp_path / "new"))
    see_that_places_fit(check="", output=str(tmp_path))
    for flags, said in (
        ({"check": str(tmp_path / "none")}, f"there is no folder {tmp_path}/none; nothing was"),
        ({"check": str(file)}, f"{file} is no folder; nothing was compared"),
        ({"output": str(file)}, f"{file} is no folder; nothing was built or written"),
    ):
        with pytest.raises(ConfigError, match=said) as caught:
            see_that_places_fit(**{"check": "", "output": "", **flags})
        assert caught.value.hint


def test_a_part_is_not_signed_over_the_whole(tmp_path: Path) -> None:
    """The signature of all would be gone, and that of the part would not fit."""
    for name in ("api.cdx.json", "worker.cdx.json"):
        (tmp_path / name).write_text("{}")
    see_that_it_is_all(tmp_path, {"api.cdx.json": "", "worker.cdx.json": "", "more.json": ""})
    see_that_it_is_all(tmp_path / "none", {"api.cdx.json": ""})
    with pytest.raises(ConfigError, match="none of these; nothing was signed") as caught:
        see_that_it_is_all(tmp_path, {"api.cdx.json": ""})
    assert caught.value.details == ("worker.cdx.json",)
