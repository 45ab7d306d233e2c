"""Which binary cache is meant, and by which key it is signed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from slipway.app.caching import KEY_VARIABLE, key_file, make_key, pick_address, signing
from slipway.config import CacheConfig
from slipway.errors import ConfigError, SupplyError
from slipway.report import Report
from slipway.supply.caches import VARIABLE
from slipway.testing import FakeShell

NAMED = CacheConfig(("https://first", "https://second"))


def test_the_nearest_name_counts() -> None:
    """What is said goes over the variable, and that over the file."""
    variables = {VARIABLE: "file:///v"}

    assert pick_address(NAMED, variables, "s3://t") == "s3://t"
    assert pick_address(NAMED, variables, "") == "file:///v"
    assert pick_address(NAMED, {}, "") == "https://first"


@pytest.mark.parametrize(("to", "said"), [("", "no cache is named"), ("/srv/c", "'/srv/c' is no")])
def test_no_address_is_refused(to: str, said: str) -> None:
    """A folder's bare name is no address either: the hint has one."""
    with pytest.raises(ConfigError, match=said) as caught:
        pick_address(CacheConfig(), {}, to)
    assert "file:///srv/cache" in str(caught.value.hint)


def test_a_key_in_a_variable_is_in_a_file_only_meanwhile(tmp_path: Path) -> None:
    """Nobody else can read it, and it is gone afterwards; a file that is named goes over it."""
    (tmp_path / "own").write_text("own")
    with signing("file:///c", "", {KEY_VARIABLE: "k-1:c2VjcmV0\n"}, tmp_path) as cache:
        assert cache.key.read_text() == "k-1:c2VjcmV0\n"
        assert not stat.S_IMODE(cache.key.parent.stat().st_mode) & 0o077
    assert not cache.key.exists()
    with signing("file:///c", str(tmp_path / "own"), {KEY_VARIABLE: "k"}, tmp_path) as cache:
        assert cache.key == tmp_path / "own"


def test_without_a_key_nothing_is_sent(tmp_path: Path) -> None:
    """It is said where one was looked for, and how to make one."""
    with (
        pytest.raises(ConfigError, match=str(key_file(tmp_path))) as caught,
        signing("file:///c", "", {}, tmp_path),
    ):
        pass
    assert "./inv cache.key" in str(caught.value.hint)


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    """Whoever has the public half would refuse all that is signed from then on."""
    place = tmp_path / "k"
    place.write_text("the one")

    with pytest.raises(ConfigError, match="is there already"):
        make_key(FakeShell(), Report(quiet=True), "home-1", place)
    assert place.read_text() == "the one"


@pytest.mark.parametrize("name", ["", "a b", "a:b", "-x", "a\n"])
def test_what_can_not_name_a_key(name: str, tmp_path: Path) -> None:
    """A colon ends the name in a signature; none of it reaches Nix."""
    with pytest.raises(ConfigError, match="can't name a key"):
        make_key(FakeShell(), Report(quiet=True), name, tmp_path / "k")


def test_nix_that_makes_no_key_is_said(tmp_path: Path) -> None:
    """Nothing is left where the key would have been."""
    shell = FakeShell()
    shell.on("nix", reply="nix (Nix) 2.8.0")
    shell.on("nix-store", "--generate-binary-cache-key", reply=1)

    with pytest.raises(SupplyError, match="made no key"):
        make_key(shell, Report(quiet=True), "home-1", tmp_path / "deep/k")
    assert list((tmp_path / "deep").iterdir()) == []
