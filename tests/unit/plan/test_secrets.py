"""Secrets: which version, from where, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.ledger.secrets import (
    SecretChoice,
    choose,
    derive,
    generate,
    read_supplied,
    variable,
    write_secrets,
)

from slipway.errors import ConfigError, DeployError
from slipway.secret import Secret
from slipway.stack.model import SecretSpec
from slipway.testing import FakeHost

MADE = SecretSpec("made", generate=8)
GIVEN = SecretSpec("given")
ACL = SecretSpec("acl", derive="redis-acl", source="made")


def chosen(*specs: SecretSpec, **known: object) -> dict[str, tuple[int, str]]:
    """Name to version and origin."""
    found = choose(
        specs,
        held=known.get("held", {}),  # type: ignore[arg-type]
        newest=known.get("newest", {}),  # type: ignore[arg-type]
        supplied=known.get("supplied", {}),  # type: ignore[arg-type]
        live=known.get("live"),  # type: ignore[arg-type]
    )
    return {one.spec.name: (one.version, one.origin) for one in found}


def test_first_deploy_generates_and_derives() -> None:
    """Nothing held: generated ones are made, derived ones follow."""
    assert chosen(ACL, MADE) == {"made": (1, "generated"), "acl": (1, "derived")}


def test_held_secrets_are_kept() -> None:
    """What the host has is kept, in its newest version."""
    held = {"made": (1, 2), "acl": (1, 2)}
    assert chosen(MADE, ACL, held=held) == {"made": (2, "kept"), "acl": (2, "kept")}


def test_lost_secrets_get_a_new_version() -> None:
    """What the live release uses and the host has lost is made anew under the next number, so that
    the services that run with the lost one are replaced."""
    live = {"made": 3, "acl": 3, "given": 2}
    assert chosen(MADE, ACL, live=live) == {"made": (4, "generated"), "acl": (4, "derived")}
    again = chosen(GIVEN, live=live, supplied={"given": Secret("x")})
    assert again == {"given": (3, "supplied")}


def test_supplied_value_is_a_new_version_only_when_it_differs() -> None:
    """The same value again changes nothing; another one is the next version."""
    same = {"held": {"given": (1, 3)}, "newest": {"given": Secret("x")}}
    assert chosen(GIVEN, **same, supplied={"given": Secret("x")}) == {"given": (3, "kept")}
    assert chosen(GIVEN, **same, supplied={"given": Secret("y")}) == {"given": (4, "supplied")}
    assert chosen(GIVEN, supplied={"given": Secret("y")}) == {"given": (1, "supplied")}


def test_derived_secret_follows_its_source() -> None:
    """A new source makes a new derived version of the same number."""
    held = {"made": (1,), "acl": (1,)}
    known = {"held": held, "newest": {"made": Secret("x")}, "supplied": {"made": Secret("y")}}
    assert chosen(ACL, MADE, **known) == {"made": (2, "supplied"), "acl": (2, "derived")}


def test_missing_ones_are_named_together() -> None:
    """Every secret that nobody supplies, and how to supply it, is in one error."""
    other = SecretSpec("other-key")
    with pytest.raises(ConfigError) as caught:
        chosen(GIVEN, other, MADE)
    assert len(caught.value.details) == 2
    assert "deploy/secrets/other-key or SLIPWAY_SECRET_OTHER_KEY" in caught.value.details[1]


def test_derived_secret_cannot_be_supplied() -> None:
    """Supplying what is derived would make the two disagree."""
    with pytest.raises(ConfigError) as caught:
        chosen(MADE, ACL, supplied={"acl": Secret("x")})
    assert "supply that instead" in caught.value.details[0]


def test_redis_acl() -> None:
    """The ACL holds the password's SHA-256, not the password."""
    line = derive("redis-acl", Secret("abc")).reveal()
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert line == f"user default on #{digest} ~* &* +@all\n"


@given(st.integers(1, 64))
def test_generated_secrets(length: int) -> None:
    """They have the length asked for, need no quoting, and differ."""
    text = generate(length).reveal()
    assert len(text) == length
    assert text.isascii()
    assert text.isalnum()
    assert length < 16 or generate(length).reveal() != text


def test_supplied_from_file_and_environment(tmp_path: Path) -> None:
    """The environment goes over the file; an editor's last newline is not the secret's."""
    (tmp_path / "given").write_text("from file \n")
    assert read_supplied([GIVEN, MADE], tmp_path, {}) == {"given": Secret("from file ")}
    environment = {variable("given"): "from environment"}
    assert read_supplied([GIVEN], tmp_path, environment) == {"given": Secret("from environment")}


def test_empty_or_unreadable_supplies_are_refused(tmp_path: Path) -> None:
    """An empty or binary file is a configuration error that doesn't show its content."""
    (tmp_path / "given").write_text("\n")
    (tmp_path / "made").write_bytes(b"canary\xff")
    with pytest.raises(ConfigError) as caught:
        read_supplied([GIVEN, MADE], tmp_path, {})
    assert len(caught.value.details) == 2
    assert "canary" not in repr(caught.value.details)


def test_a_version_is_never_written_twice() -> None:
    """A version that appeared meanwhile is left as it is, and the deploy stops."""
    host = FakeHost(files={"/a/secrets/made/1": b"theirs"})
    host.on("sh", reply=b"")
    with pytest.raises(DeployError, match="exists on fake already"):
        write_secrets(host, "/a", [SecretChoice(MADE, 1, "generated")], {})
    assert host.files == {"/a/secrets/made/1": b"theirs"}


def test_derived_secret_of_a_kept_source() -> None:
    """A derived secret that is missing is made from the source that the host has."""
    host = FakeHost(files={"/a/secrets/made/1": b"abc"})
    host.on("sh", reply=b"")
    names = write_secrets(host, "/a", [SecretChoice(ACL, 1, "derived")], {})
    assert names == ("acl",)
    assert b"#ba7816bf" in host.files["/a/secrets/acl/1"]
    assert host.modes["/a/secrets/acl/1"] == 0o400
