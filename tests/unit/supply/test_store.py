"""Store names and paths are the ones Nix itself would give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.doors import Completed
from slipway.errors import FetchError
from slipway.supply import store
from slipway.supply.store import StoreFile
from slipway.testing import FakeShell

CASES = Path(__file__).parents[2] / "cases/store_names.json"


@pytest.mark.parametrize(("given_name", "expected"), json.loads(CASES.read_text()))
def test_shared_names(given_name: str, expected: str) -> None:
    """A file name becomes the store name that the Nix side computes too."""
    assert store.store_name(given_name) == expected


@given(st.text(max_size=60))
def test_names_are_legal(text: str) -> None:
    """Whatever the file name, the store name holds only what Nix takes."""
    name = store.store_name(text)

    assert name
    assert not name.startswith(".")
    assert all(char.isascii() and (char.isalnum() or char in "+-._?=") for char in name)


def test_flat_path() -> None:
    """A file's path is the one `nix-store --print-fixed-path sha256` prints (recorded)."""
    sha256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"

    path = store.fixed_path("x-1.deb", sha256)

    assert path == "/nix/store/y3m2zh3as61yhsy67hgg1c4yfj0l0rb9-x-1.deb"


def test_recursive_path() -> None:
    """A folder's path is the one `nix-store --print-fixed-path --recursive` prints (recorded)."""
    sha256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"

    path = store.fixed_path("x-1", sha256, recursive=True)

    assert path == "/nix/store/7a3phi8vgfc84kaf6dnb3jvswfh7sgcw-x-1"


def test_missing_asks_once() -> None:
    """What the store lacks is asked in one command for all files."""
    files = [StoreFile("a", "0" * 64), StoreFile("b", "1" * 64)]
    shell = FakeShell()
    shell.on("nix-store", "--check-validity", "--print-invalid", reply=f"{files[1].path}\n")

    assert store.missing(shell, files) == (files[1],)
    assert len(shell.calls) == 1


def test_nothing_to_ask() -> None:
    """No question is asked about no files."""
    assert store.missing(FakeShell(), []) == ()


def test_nix_refuses() -> None:
    """When Nix does not take a file, the error says so with Nix's own words."""
    shell = FakeShell()
    shell.on("nix-store", "--add-fixed", reply=Completed((), 1, b"", b"error: disk full"))

    with pytest.raises(FetchError, match="did not take") as caught:
        store.add(shell, [Path("/x")])

    assert caught.value.details == ("error: disk full",)
