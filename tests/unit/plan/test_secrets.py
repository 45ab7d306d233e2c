"""Which version of each secret a release uses, and how it comes to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        values=known.get("values", {}),  # type: ignore[arg-type]
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
    same = {"held": {"given": (1, 3)}, "values": {"given": {1: Secret("w"), 3: Secret("x")}}}
    assert chosen(GIVEN, **same, supplied={"given": Secret("x")}) == {"given": (3, "kept")}
    assert chosen(GIVEN, **same, supplied={"given": Secret("y")}) == {"given": (4, "supplied")}
    assert chosen(GIVEN, supplied={"given": Secret("y")}) == {"given": (1, "supplied")}


def test_an_optional_secret_is_kept_or_empty() -> None:
    """Where the host has one it goes on; where nobody has, an empty one is made."""
    old = SecretSpec("old", optional=True)
    assert chosen(old) == {"old": (1, "generated")}
    assert chosen(old, held={"old": (1,)}, live={"old": 1}) == {"old": (1, "kept")}
    ended = {"held": {"old": (1,)}, "values": {"old": {1: Secret("x")}}, "live": {"old": 1}}
    assert chosen(old, **ended, supplied={"old": Secret("")}) == {"old": (2, "supplied")}


def test_derived_secret_follows_its_source() -> None:
    """A new source makes a new derived version of the same number."""
    held = {"made": (1,), "acl": (1,)}
    known = {"held": held, "values": {"made": {1: Secret("x")}}, "supplied": {"made": Secret("y")}}
    assert chosen(ACL, MADE, **known) == {"made": (2, "supplied"), "acl": (2, "derived")}


LOGIN = SecretSpec("login", derive="login", source="made", login="app")


def test_a_new_login_is_never_the_one_in_use() -> None:
    """A version that was undone is not used again, and the one after it would have its turn."""
    live = {"made": 1, "login": 1}
    for held, following in (((1,), 2), ((1, 2), 4)):
        found = choose_anew(MADE, LOGIN, held={"made": held, "login": held}, live=live)
        assert found == {"made": following, "login": following}
    assert choose_anew(MADE, ACL, held={"made": (1, 2)}, live={"made": 1}) == {"made": 3, "acl": 3}


def choose_anew(
    *specs: SecretSpec, held: Mapping[str, Sequence[int]], live: dict[str, int]
) -> dict[str, int]:
    """The versions when the generated one is made anew."""
    found = choose(specs, held=held, values={}, supplied={}, live=live, anew=("made",))
    return {one.spec.name: one.version for one in found}


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


def test_an_undone_version_stays_undone() -> None:
    """A version above the live one was refused: it is not taken, nor is its number used again."""
    known = {"held": {"given": (1, 2), "made": (4, 5)}, "live": {"given": 1, "made": 4}}
    known["values"] = {"given": {1: Secret("good"), 2: Secret("refused")}}
    assert chosen(GIVEN, MADE, **known) == {"given": (1, "kept"), "made": (4, "kept")}
    back = chosen(GIVEN, **known, supplied={"given": Secret("good")})
    assert back == {"given": (1, "kept")}
    for value in ("refused", "third"):
        again = chosen(GIVEN, **known, supplied={"given": Secret(value)})
        assert again == {"given": (3, "supplied")}


def test_without_a_live_release_the_newest_is_kept() -> None:
    """What a failed first deploy has made is what the data it left behind wants."""
    assert chosen(MADE, held={"made": (1,)}) == {"made": (1, "kept")}
    assert chosen(MADE, held={"made": (1,)}, live={}) == {"made": (1, "kept")}


def test_a_lost_version_is_not_replaced_by_a_refused_one() -> None:
    """A newer version on the host is no substitute for the one that runs and was lost."""
    known = {"held": {"given": (3,), "made": (3,)}, "live": {"given": 2, "made": 2}}
    assert chosen(MADE, **known) == {"made": (4, "generated")}
    with pytest.raises(ConfigError) as caught:
        chosen(GIVEN, **known)
    assert "the host has lost version 2, which runs" in caught.value.details[0]


def test_a_secret_that_nobody_supplied_says_where_to_put_it() -> None:
    """Nothing was lost, as nothing was ever there."""
    with pytest.raises(ConfigError) as caught:
        chosen(GIVEN)
    (said,) = caught.value.details
    assert said.endswith(
        "given: is missing: put it into deploy/secrets/given or SLIPWAY_SECRET_GIVEN"
    )


def test_a_new_number_is_new_for_what_is_derived_from_it_too() -> None:
    """A derived version that is left of a lost source is not taken for the new one's."""
    held = {"made": (1,), "acl": (1, 2)}
    found = chosen(MADE, ACL, held=held, live={"made": 2, "acl": 2})
    assert found == {"made": (3, "generated"), "acl": (3, "derived")}


NUMBERS = st.frozensets(st.integers(1, 6))
VALUES = st.sampled_from([Secret(letter) for letter in "abc"])


@given(made=NUMBERS, acl=NUMBERS, live=st.none() | st.integers(1, 6), data=st.data())
def test_versions_in_every_state_of_a_host(
    made: frozenset[int], acl: frozenset[int], live: int | None, data: st.DataObject
) -> None:
    """The live version is kept unless lost or changed; new ones are above all."""
    held = {name: sorted(numbers) for name, numbers in (("made", made), ("acl", acl)) if numbers}
    values = {number: data.draw(VALUES) for number in made}
    supplied = data.draw(st.none() | VALUES)
    found = choose(
        [MADE, ACL],
        held=held,
        values={"made": values},
        supplied={} if supplied is None else {"made": supplied},
        live=None if live is None else {"made": live, "acl": live},
    )
    source, derived = found
    assert derived.version == source.version
    assert (derived.origin == "kept") == (derived.version in acl)
    if source.origin == "kept":
        assert source.version == (max(made) if live is None else live)
        assert supplied in (None, values[source.version])
    else:
        assert source.version > max(made | acl | {live or 0})
        assert derived.origin == "derived"
        assert (source.origin == "supplied") == (supplied is not None)
        assert not (supplied is None and live in made)
