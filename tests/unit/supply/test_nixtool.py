"""A Nix that may not be used is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.doors import Completed
from slipway.errors import SupplyError
from slipway.supply.nixtool import see_that_it_serves
from slipway.testing import FakeShell


def test_a_store_that_takes_a_file_serves(tmp_path: Path) -> None:
    """Where it says that the file is, it is."""
    shell, added = FakeShell(), tmp_path / "added"
    added.touch()
    shell.on("nix-store", "--add-fixed", "sha256", reply=f"{added}\n")
    see_that_it_serves(shell)


@pytest.mark.parametrize(
    ("reply", "says"),
    [(Completed((), 1, b"", b"warning: x\nerror: no permission\n"), "error: no permission"),
     ("/nix/store/0000-of-a-store-in-somebodys-home\n", "another store in your home")],
    ids=["refused", "elsewhere"],
)  # fmt: skip
def test_one_that_does_not_is_told(reply: Completed | str, says: str) -> None:
    """With Nix's own words, and what would help."""
    shell = FakeShell()
    shell.on("nix-store", reply=reply)
    with pytest.raises(SupplyError, match="can't use the Nix store") as caught:
        see_that_it_serves(shell)
    assert says in caught.value.details[-1]
    assert "nix-daemon" in (caught.value.hint or "")
