"""What each release changed, and which can come back."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.demo import COMPOSE, World, wanted, world

from slipway.act.deploy import deploy
from slipway.operate.releases import Listed, listed, releases_json, releases_text
from slipway.plan.wanted import Seen, Wanted


def seen(made: World) -> tuple[Listed, ...]:
    """The host's releases."""
    return tuple(
        one
        for one in listed(Seen(made.folder.read(), made.engine.state()))
        if isinstance(one, Listed)
    )


def deployed(*each: Wanted) -> World:
    """A host on which these were deployed, a minute apart."""
    made = world()
    for one in each:
        deploy(one, made.doors, "token")
        made.clock.seconds += 60
    return made


def test_what_changed_is_named() -> None:
    """Images by role, services of other settings, files, versions of secrets, migrations."""
    made = deployed(
        wanted(),
        replace(wanted(web="2", edge=b"other"), revisions=("0001",), migrations="x"),
    )
    new, old = seen(made)
    assert old.changes is None
    assert new.changes is not None
    assert new.changes.to_json() == {
        "images": ["web"], "settings": ["web"], "files": ["edge.cfg"], "secrets": {},
        "migrations": ["0001"],
    }  # fmt: skip
    assert "changed images web; settings web; files edge.cfg; migrations 0001" in releases_text(
        (new, old)
    )


def test_versions_of_secrets_are_told_and_never_their_values() -> None:
    """From which number to which."""
    from slipway.secret import Secret

    given = replace(wanted(), supplied={"db_password": Secret("hush")})
    new, _ = seen(deployed(wanted(), given))
    assert new.changes is not None
    assert new.changes.to_json()["secrets"] == {"acl": [1, 2], "db_password": [1, 2]}
    assert "secrets acl 1 → 2, db_password 1 → 2" in str(new.changes)
    assert "hush" not in releases_text(seen(deployed(wanted(), given)))


def test_services_that_come_and_go_are_other_settings() -> None:
    """A service of the one release alone is named as well."""
    more = COMPOSE.replace("  job:\n", '  more: { image: "${DB_IMAGE:?}" }\n  job:\n')
    new, _ = seen(deployed(wanted(), wanted(more)))
    assert new.changes is not None
    assert new.changes.settings == ("more",)


def test_a_release_that_can_not_come_back_says_why() -> None:
    """What the host has lost is named; the live one is not asked."""
    made = deployed(wanted(), wanted(web="2"), wanted(web="3"), wanted(web="4"))
    assert [one.live for one in seen(made)] == [True, False, False]
    assert [one.kept for one in seen(made)] == [True, True, True]
    del made.engine.held["demo/web:2"]
    oldest = seen(made)[-1]
    assert oldest.lost == ("the image demo/web:2",)
    text = releases_text(seen(made))
    assert "the host has no more: the image demo/web:2" in text
    assert [one["lost"] for one in releases_json(seen(made))] == [[], [], list(oldest.lost)]


def test_no_release() -> None:
    """A host without any says so."""
    assert releases_text(()) == "nothing was released yet"
