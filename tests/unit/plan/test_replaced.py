"""Which secrets can get another value, and what is said of the others."""

from __future__ import annotations

import pytest

from slipway.errors import ConfigError
from slipway.plan.replaced import all_rotatable, rotatable, settable
from slipway.plan.secrets import choose
from slipway.stack.model import SecretSpec

MADE = SecretSpec("made", generate=8)
GIVEN = SecretSpec("given")
ACL = SecretSpec("acl", derive="redis-acl", source="made")
ALL = (MADE, GIVEN, ACL)


def test_what_slipway_makes_can_be_made_anew() -> None:
    """And what the operator gives can be given anew."""
    assert rotatable(ALL, (), "made") == MADE
    assert settable(ALL, (), "given") == GIVEN
    assert settable(ALL, (), "made") == MADE


@pytest.mark.parametrize(
    ("name", "supplied", "said", "hint"),
    [
        ("nothing", (), "has no secret nothing", "acl, given, made"),
        ("acl", (), "acl is derived from made", "name made"),
        ("made", ("made",), "you supply made", "deploy/secrets/made"),
        ("given", (), "given is not generated", "./inv secrets.set given"),
    ],
)
def test_what_can_not_says_what_can(
    name: str, supplied: tuple[str, ...], said: str, hint: str
) -> None:
    """Nothing was changed, and the next command is named."""
    with pytest.raises(ConfigError, match=f"{said}.*; nothing was changed") as caught:
        rotatable(ALL, supplied, name)
    assert hint in str(caught.value.hint)


def test_a_secret_made_anew_is_the_next_version_with_all_that_is_derived_from_it() -> None:
    """The others stay as they are."""
    held = {"made": (1, 2), "acl": (2,), "given": (1,)}
    live = {"made": 2, "acl": 2, "given": 1}
    kept = choose(ALL, held=held, values={}, supplied={}, live=live)
    assert [(one.version, one.origin) for one in kept] == [(2, "kept"), (1, "kept"), (2, "kept")]
    anew = choose(ALL, held=held, values={}, supplied={}, live=live, anew={"made"})
    assert [(one.version, one.origin) for one in anew] == [
        (3, "generated"), (1, "kept"), (3, "derived"),
    ]  # fmt: skip


def test_all_are_those_that_slipway_makes() -> None:
    """Somebody else's and derived ones stay as they are."""
    specs = (MADE, GIVEN, ACL, SecretSpec("more", generate=8))
    assert all_rotatable(specs, ()) == ("made", "more")
    assert all_rotatable(specs, ("more",)) == ("made",)
    with pytest.raises(ConfigError, match="no secret of this stack is generated"):
        all_rotatable((GIVEN,), ())
