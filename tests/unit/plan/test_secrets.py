"""Which version of each secret a release uses, and how it comes to be."""

from __future__ import annotations

import pytest

from slipway.errors import ConfigError
from slipway.plan.secrets import choose
from slipway.secret import Secret
from slipway.stack.model import SecretSpec

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
