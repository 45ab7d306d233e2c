"""What runs on a host held against what was signed: every difference is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.demo import image, wanted, world

from slipway.act.deploy import deploy
from slipway.act.doors import Doors
from slipway.errors import BuildError, DeployError
from slipway.operate.attest import Attested, Ids, Running, hold_against
from slipway.runner.containers import Container


def signed(**contents: str) -> Ids:
    """What somebody signed: an image for each role, of the given content."""
    images = [image(role, content) for role, content in contents.items()]
    return {one.role: (one.config_digest, one.manifest_digest) for one in images}


def refused(doors: Doors, by: Ids) -> tuple[str, ...]:
    """What is said to run without having been signed."""
    with pytest.raises(BuildError, match="what runs on nas is not what anna signed") as caught:
        hold_against(doors, "anna", by)
    assert (caught.value.exit_code, caught.value.stage) == (3, "bills")
    assert "./inv releases --host nas" in str(caught.value.hint)
    return caught.value.details


def test_what_was_signed_runs() -> None:
    """Each container with its image; the host is only looked at."""
    made = world()
    deploy(wanted(), made.doors, "token")
    files, commands = dict(made.folder.files), list(made.engine.commands)

    held = hold_against(made.doors, "anna", signed(web="1", db="1"))

    live = made.folder.read().records.live
    assert live is not None
    assert held.to_json() == {
        "host": "nas",
        "release": live.id,
        "signer": "anna",
        "images": [
            {
                "service": name,
                "container": name,
                "role": name,
                "image_digest": f"sha256:config-{name}-1",
            }
            for name in ("db", "web")
        ],
    }
    assert held.to_text().endswith(f"nas: {live.id} is what anna signed")
    assert (held.talk, made.folder.files, made.engine.commands) == ("", files, commands)


def test_containerds_ids_are_known() -> None:
    """There the id of an image is its manifest's."""
    made = world()
    deploy(wanted(), made.doors, "token")
    made.engine.crash("web", image_id="sha256:manifest-web-1")

    assert hold_against(made.doors, "anna", signed(web="1", db="1")).images[1].service == "web"


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ({"web": "2", "db": "1"},
         ["web has the image config-web-1, of no bill; signed for web is config-web-2"]),
        ({"web": "2", "db": "2"},
         ["db has the image config-db-1, of no bill; signed for db is config-db-2",
          "web has the image config-web-1, of no bill; signed for web is config-web-2"]),
        ({"web": "1"}, ["db has an image of db, of which no bill was signed"]),
    ],
)  # fmt: skip
def test_what_was_not_signed_is_named(by: dict[str, str], said: list[str]) -> None:
    """All of it at once: what runs, and what was signed in its place."""
    made = world()
    deploy(wanted(), made.doors, "token")
    assert list(refused(made.doors, signed(**by))) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image_id": "sha256:strange"}, "web has the image strange, of no bill; signed for web"),
        ({"image_id": "sha256:config-db-1"}, "web has the image config-db-1, that of db; signed"),
        ({"service": "spy", "image_id": "sha256:strange"}, "web has the image strange, of no bill"),
    ],
)
def test_what_somebody_put_there_is_named(changes: dict[str, Any], said: str) -> None:
    """Another image, that of another role, and one of a service that the release doesn't have."""
    made = world()
    deploy(wanted(), made.doors, "token")
    made.engine.running = [
        replace(one, **changes) if one.service == "web" else one for one in made.engine.running
    ]
    (detail,) = refused(made.doors, signed(web="1", db="1"))
    assert detail.startswith(said)


def test_a_release_that_is_not_live_any_more_is_told() -> None:
    """Who signed an earlier one learns which; what differs from the live one does not hide it."""
    made = world()
    first = deploy(wanted(), made.doors, "token").outcome.release
    made.clock.seconds += 60
    deploy(wanted(web="2"), made.doors, "token")

    assert refused(made.doors, signed(web="1", db="1")) == (
        "web has the image config-web-2, of no bill; signed for web is config-web-1",
        f"what was signed is {first}, which is not live",
    )
    made.engine.crash("web", image_id="sha256:strange")
    (detail,) = refused(made.doors, signed(web="2", db="1"))
    assert detail.startswith("web has the image strange")


def test_single_runs_count() -> None:
    """The image of one that runs, and without one the image that it would be given."""
    made = world()
    deploy(wanted(), made.doors, "token")
    both = signed(web="1", db="1")
    once = Container("job", "1", "job-run", "sha256:old", "running", one_off=True)
    made.engine.running.append(once)
    assert refused(made.doors, both) == ("job-run has the image old, of no bill",)
    made.engine.running[-1] = replace(once, image_id="sha256:config-web-1")
    assert ("job", "web") in [
        (one.service, one.role) for one in hold_against(made.doors, "anna", both).images
    ]

    made.engine.running = [replace(once, state="exited")]
    held = hold_against(made.doors, "anna", both)
    assert [(one.service, one.role) for one in held.images] == [("", "db"), ("", "web")]
    assert list(refused(made.doors, signed(web="1", db="2"))) == [
        "a single run of db has the image config-db-1, of no bill; signed for db is config-db-2"
    ]


def test_an_image_from_elsewhere_is_told() -> None:
    """Nobody built it here, so no bill speaks of it; that is said, and refuses nothing."""
    held = Attested("nas", "r", "anna", (Running("cache", "cache-1", "", "sha256:e"),))
    assert held.talk == "not built here, so without a bill: cache"


def test_nothing_is_deployed() -> None:
    """Then nothing runs that could be signed."""
    with pytest.raises(DeployError, match="nothing is deployed on nas"):
        hold_against(world().doors, "anna", signed(web="1"))
