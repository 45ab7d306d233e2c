"""SOPS: what is said of its endings, before an editor opens and after."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.app import sops
from slipway.errors import ConfigError
from slipway.shell import LocalShell

FILE = "deploy/secrets.sops.yaml"


def test_a_file_that_is_there_is_opened_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked of SOPS before: it would need the key, and perhaps a person, twice."""
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "deploy").mkdir()
    (tmp_path / FILE).write_text("x")
    sops.see_that_it_can_be_made(LocalShell(), tmp_path, FILE)


def test_a_program_that_is_not_there_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the places that have it: the distribution may be none of them."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="sops is not installed") as caught:
        sops.see_that_it_can_be_made(LocalShell(), tmp_path, FILE)
    assert "github.com/getsops/sops/releases" in str(caught.value.hint)


def test_a_new_file_needs_somebody_to_encrypt_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SOPS itself decides, in the checkout, by the file's name; the two lines are told."""
    says = "#!/bin/sh\n[ -e ok ] && exit 0\necho no creation rules for $7 >&2\nexit 1\n"
    program = tmp_path / "sops"
    program.write_text(says)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ConfigError) as caught:
        sops.see_that_it_can_be_made(LocalShell(), tmp_path, FILE)
    assert caught.value.details == (f"no creation rules for {FILE}",)
    hint = str(caught.value.hint)
    assert all(part in hint for part in (".sops.yaml", "creation_rules:", "- age: ", "guides"))
    (tmp_path / "ok").touch()
    sops.see_that_it_can_be_made(LocalShell(), tmp_path, FILE)


def test_leaving_the_editor_without_a_change_is_no_failure() -> None:
    """200 is SOPS' way to say so."""
    assert "nothing was changed" in sops.edited(FILE, 200)
    assert "is saved" in sops.edited(FILE, 0)


@pytest.mark.parametrize(
    ("code", "hint"), [(128, "SOPS_AGE_KEY_FILE"), (201, "EDITOR=nano"), (1, "None")]
)
def test_other_endings_are_failures_of_ours(code: int, hint: str) -> None:
    """With an exit code that the reference has."""
    with pytest.raises(ConfigError, match=f"code {code}, for the reason above") as caught:
        sops.edited(FILE, code)
    assert caught.value.exit_code == 2
    assert hint in str(caught.value.hint)
