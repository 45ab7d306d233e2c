"""The bytes that a deploy's actions only name: secrets made, files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.demo import wanted

from slipway.act.contents import Contents, derive, generate
from slipway.errors import DeployError
from slipway.ledger.entries import Source
from slipway.ledger.records import Memory, Records
from slipway.ledger.release import Release
from slipway.plan.draft import Draft, draft
from slipway.plan.wanted import Seen
from slipway.secret import Secret
from slipway.stack.model import SecretSpec
from slipway.testing import FakeFolder

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def contents(
    made: Draft | None = None,
    folder: FakeFolder | None = None,
) -> tuple[Contents, FakeFolder]:
    """What a deploy of the sample stack writes, and the folder that it may read."""
    folder = folder or FakeFolder()
    return Contents(made or draft(wanted(), Seen(), NOW), folder), folder


def test_redis_acl() -> None:
    """The ACL holds the password's SHA-256, not the password."""
    line = derive("redis-acl", Secret("abc")).reveal()
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert line == f"user default on #{digest} ~* &* +@all\n"


def test_logins_take_turns() -> None:
    """A version's login is another one than that of the version before."""
    made = [derive("login", Secret("a:b"), "demo_app", number).reveal() for number in (1, 2, 3)]
    assert made == ["demo_app_a:a:b\n", "demo_app_b:a:b\n", "demo_app_a:a:b\n"]


def test_what_was_before_is_there_beside_its_successor() -> None:
    """The live version's value, when the source gets another one; else nothing."""
    made = wanted()
    specs = (*made.stack.secrets, SecretSpec("old", derive="before", source="db_password"))
    named = replace(made, stack=replace(made.stack, secrets=specs))
    first = draft(named, Seen(), NOW)
    assert contents(first)[0](Source("secret", "old", 1)) == b""
    live = replace(first.release, secrets={"db_password": 1})
    folder = FakeFolder(files={"secrets/db_password/1": b"abc"})
    for files, left in ((("secrets/db_password/1",), b"abc"), ((), b"")):
        seen = Seen(Memory(records=Records((live,), live.id), files=files))
        second = draft(replace(named, anew=frozenset({"db_password"})), seen, NOW)
        give, _ = contents(second, folder)
        assert give(Source("secret", "old", 2)) == left
        assert give(Source("secret", "db_password", 2)) != b"abc"


def test_an_optional_secret_that_nobody_has_is_empty() -> None:
    """Whoever mounts it finds an empty file."""
    made = wanted()
    specs = (*made.stack.secrets, SecretSpec("old", optional=True))
    without = draft(replace(made, stack=replace(made.stack, secrets=specs)), Seen(), NOW)
    assert contents(without)[0](Source("secret", "old", 1)) == b""


@given(st.integers(1, 64))
def test_generated_secrets(length: int) -> None:
    """They have the length asked for, need no quoting, and differ."""
    text = generate(length).reveal()
    assert len(text) == length
    assert text.isascii()
    assert text.isalnum()
    assert length < 16 or generate(length).reveal() != text


def test_unknown_ways_to_derive_are_refused() -> None:
    """A way that there isn't is an error of the secrets' step."""
    with pytest.raises(DeployError, match="no way 'rot13'") as caught:
        derive("rot13", Secret("abc"))
    assert "abc" not in repr((caught.value.message, caught.value.details))


def test_a_secret_is_made_once() -> None:
    """However often it is asked for, also by what is derived from it, it is one value."""
    give, _ = contents()
    first = give(Source("secret", "db_password", 1))
    assert len(first) == 16
    assert give(Source("secret", "db_password", 1)) == first
    acl = derive("redis-acl", Secret(first.decode()))
    assert give(Source("secret", "acl", 1)) == acl.reveal().encode()


def test_derived_secret_of_a_kept_source() -> None:
    """A derived secret that is missing is made from the source that the host has."""
    seen = Seen(Memory(files=("secrets/db_password/1",)))
    folder = FakeFolder(files={"secrets/db_password/1": b"abc"})
    give, folder = contents(draft(wanted(), seen, NOW), folder)
    assert b"#ba7816bf" in give(Source("secret", "acl", 1))
    folder.files.clear()
    give, _ = contents(draft(wanted(), seen, NOW), folder)
    with pytest.raises(DeployError, match="the secret db_password version 1 vanished"):
        give(Source("secret", "acl", 1))


def test_a_supplied_secret_is_the_operators() -> None:
    """It is taken as it is."""
    made = draft(replace(wanted(), supplied={"db_password": Secret("theirs")}), Seen(), NOW)
    assert contents(made)[0](Source("secret", "db_password", 1)) == b"theirs"


def test_files_and_records() -> None:
    """Config files, the Compose file and the record are those of the draft."""
    made = draft(wanted(edge=b"listen 81\n"), Seen(), NOW)
    give, _ = contents(made)
    assert give(Source("config", "edge")) == b"listen 81\n"
    assert give(Source("compose", made.release.id)) == made.rendered.text
    record = give(Source("release", made.release.id))
    assert Release.from_json(record, "x") == made.release
