"""Pruning removes what no kept release needs, and nothing of anybody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.demo import wanted

from slipway.ledger.records import Records
from slipway.ledger.release import Release
from slipway.plan.draft import draft
from slipway.plan.wanted import Seen
from slipway.plan.waste import waste


def release(number: int) -> Release:
    """The nth release: its own web image, config file and secret version."""
    made = draft(wanted(web=str(number)), Seen(), datetime(2026, 1, number, tzinfo=UTC)).release
    return replace(
        made,
        id=f"r{number}",
        files=(f"files/{number}/edge.cfg",),
        secrets={"db_password": number},
        previous=f"r{number - 1}" if number > 1 else None,
    )


RELEASES = tuple(release(number) for number in range(6, 0, -1))
ALL_TAGS = [image.reference for one in RELEASES for image in one.images.values()]
PATHS = [f"files/{n}/edge.cfg" for n in range(1, 7)] + [f"secrets/db_password/{n}" for n in (1, 6)]


def test_three_releases_are_kept() -> None:
    """The live release and the two that were live before it keep images, files and secrets."""
    found = waste("demo", Records(RELEASES, "r6"), references=ALL_TAGS, paths=PATHS)
    assert found.references == ("demo/web:1", "demo/web:2", "demo/web:3")
    assert found.releases == ("r3", "r2", "r1")
    assert found.paths == (
        "files/1/edge.cfg", "files/2/edge.cfg", "files/3/edge.cfg", "secrets/db_password/1",
    )  # fmt: skip


def test_freed_bytes_are_those_of_layers_nobody_else_has() -> None:
    """The shared base layer stays, so only the three images' own layers count."""
    found = waste("demo", Records(RELEASES, "r6"), references=ALL_TAGS, paths=[])
    assert found.bytes == 3 * 50


def test_live_release_is_kept_however_old() -> None:
    """After going back the live release may be an old one: it stays, with those before it."""
    found = waste("demo", Records(RELEASES, "r2"), references=ALL_TAGS, paths=PATHS)
    assert not {"demo/web:1", "demo/web:2"} & set(found.references)
    assert found.releases == ("r6", "r5", "r4", "r3")


def test_failed_releases_push_no_good_one_out() -> None:
    """What can be gone back to is what was live before, not what failed in between."""
    live = replace(RELEASES[0], previous="r2")
    found = waste("demo", Records((live, *RELEASES[1:]), "r6"), references=ALL_TAGS, paths=PATHS)
    assert found.releases == ("r5", "r4", "r3")
    assert not {"demo/web:1", "demo/web:2"} & set(found.references)


def test_nothing_goes_before_anything_was_live() -> None:
    """A first deploy that failed left what the next one may go on with."""
    found = waste("demo", Records(RELEASES[:3]), references=ALL_TAGS[:6], paths=[])
    assert found.empty


REFERENCES = st.text(min_size=1) | st.builds(
    "{}{}{}".format, st.sampled_from(["demo", "demo-two", "demo2", "x/demo", ""]),
    st.sampled_from(["/", "", ":"]), st.text(),
)  # fmt: skip


@given(st.lists(REFERENCES), st.sampled_from([None, "r6", "r1"]))
def test_foreign_images_are_never_touched(references: list[str], live: str | None) -> None:
    """No reference outside of the application's own prefix is ever removed."""
    found = waste("demo", Records(RELEASES, live), references=references, paths=[])
    assert all(reference.startswith("demo/") for reference in found.references)


def test_a_neighbours_images_stay() -> None:
    """An application whose name only begins like ours keeps its images."""
    theirs = ["demo-two/web:1", "demo2/web:1", "demonstration:1", "x/demo/web:1", "demo:1"]
    found = waste("demo", Records(RELEASES, "r6"), references=[*theirs, "demo/old:1"], paths=[])
    assert found.references == ("demo/old:1",)


def test_newest_secret_versions_stay() -> None:
    """A first deploy that failed made them; the next one goes on with them."""
    paths = ["secrets/other/1", "secrets/other/2", "secrets/other/10"]
    found = waste("demo", Records(RELEASES, "r6"), references=[], paths=paths)
    assert found.paths == ("secrets/other/1", "secrets/other/2")


def test_nothing_to_remove() -> None:
    """With three releases or fewer everything is needed."""
    few = Records(RELEASES[:3], "r6")
    tags = [image.reference for one in RELEASES[:3] for image in one.images.values()]
    assert waste("demo", few, references=tags, paths=["files/6/edge.cfg"]).empty
