"""The database goes along: back with a release, and back when its migration can't stay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.demo import COMPOSE, World, wanted, world

from slipway.act.deploy import deploy, make_draft
from slipway.app.present import plan_text
from slipway.errors import DeployError
from slipway.ledger.release import Release, as_json
from slipway.operate.rollback import roll_back
from slipway.plan.wanted import Wanted

TEXT = COMPOSE.replace(
    "plan: [migrate, --plan] }",
    "plan: [migrate, --plan], dump: { service: db, command: [save] }, "
    "restore: { service: db, command: [load] } }",
).replace("smoke: {", "soak: { seconds: 0 }\n  smoke: {")
ROLLED = TEXT.replace(
    """    x-slipway: { role: web }
    image: "${WEB_IMAGE:?}"
    ports: [{ target: 80, published: "8080", protocol: tcp }]
""",
    """    x-slipway: { role: web, roll: beside }
    image: "${WEB_IMAGE:?}"
""",
)
PENDING = [{"revision": "0002", "message": "another shape"}]


def migrating(web: str, *revisions: str, down: bool = False, text: str = TEXT) -> Wanted:
    """What brings the stack with these migrations; the last one can't be lived with."""
    return replace(
        wanted(text, web=web),
        migrations="+".join(revisions),
        revisions=revisions,
        downtimes=frozenset(revisions[-1:]) if down else frozenset(),
    )


def deployed(*, down: bool = False) -> World:
    """A host with a release, and one after it that migrated."""
    made = world()
    deploy(migrating("1", "0001"), made.doors, "token")
    made.clock.seconds += 60
    made.engine.pending = PENDING
    deploy(migrating("2", "0001", "0002", down=down), made.doors, "token")
    made.engine.commands.clear()
    made.host.files.update({f"/pool/demo/{name}": data for name, data in made.folder.files.items()})
    return made


def verbs(made: World) -> list[str]:
    """Compose's commands, and what they are done with."""
    return [
        " ".join(word for word in words if word not in ("--detach", "-T", "--no-build", "never"))
        for words in made.engine.commands
    ]


def history(made: World) -> tuple[Release, ...]:
    """The releases, the live one first."""
    return made.folder.read().records.history


def test_the_data_goes_back_with_the_release() -> None:
    """What uses the database is stopped, it is kept as it is, the dump comes in, the old is up."""
    made = deployed()
    live, before = history(made)
    outcome = roll_back(made.doors, "me", "token", data=True).outcome
    assert (outcome.release, outcome.outcome) == (before.id, "rolled back")
    stop, keep, put, *rest = verbs(made)
    assert (stop, keep, put) == ("stop web", "exec db save", "exec db load")
    assert rest[0].startswith("up ")
    assert f"releases/{live.id}/undone.dump" in made.folder.files
    assert outcome.predicted_s == {"web": 3.0}
    assert "what was written since is lost" in made.talk.getvalue()
    sent = made.runner.requests[-1]["steps"]
    assert [one["name"] for one in sent][:3] == ["stop", "keep", "restore"]
    assert sent[2]["do"][0]["input"] == f"releases/{live.id}/database.dump"


def test_without_a_dump_the_data_can_not_go_back() -> None:
    """Refused with the reason before anything is asked of the host's runner."""
    made = deployed()
    live, _ = history(made)
    del made.folder.files[f"releases/{live.id}/database.dump"]
    runs = len(made.runner.requests)
    with pytest.raises(DeployError, match="their dumps are gone; nothing was changed"):
        roll_back(made.doors, "me", "token", data=True)
    assert len(made.runner.requests) == runs
    assert made.engine.commands == []


def test_a_way_back_that_fails_has_the_data_of_the_live_release_again() -> None:
    """When the release before doesn't come up, the database is as it was when it was left."""
    made = deployed()
    live, before = history(made)
    made.engine.sick.add(before.images["web"].config_digest)
    with pytest.raises(DeployError, match=f"{live.id} is serving again"):
        roll_back(made.doors, "me", "token", data=True)
    said = verbs(made)
    assert said.index("exec db save") < said.index("exec db load")
    assert said.count("exec db load") == 2
    last = len(said) - 1 - said[::-1].index("exec db load")
    assert said[last - 1] == "stop web"
    assert all(word.startswith("up ") for word in said[last + 1 :])


def test_a_migration_that_needs_downtime_stops_what_uses_the_database() -> None:
    """Before the dump, so that nothing is written after it; the plan says so and why."""
    made = world()
    deploy(migrating("1", "0001", text=ROLLED), made.doors, "token")
    made.clock.seconds += 60
    made.engine.pending = PENDING
    made.engine.commands.clear()
    fresh = migrating("2", "0001", "0002", down=True, text=ROLLED)
    plan = make_draft(fresh, made.doors).plan
    (web,) = (one for one in plan.containers if one.service == "web")
    assert (web.action, web.reason) == ("recreate", "stopped for the migration 0002")
    assert web.downtime_s
    assert [(one.revision, one.downtime) for one in plan.migrations] == [("0002", True)]
    assert "0002  what uses the database is stopped first" in plan_text(plan)
    deploy(fresh, made.doors, "token")
    said = [one for one in verbs(made) if not one.startswith("up ")]
    assert said == [
        "run --rm --no-deps job migrate --plan", "stop web", "exec db save",
        "run --rm --no-deps job migrate",
    ]  # fmt: skip


def test_such_a_migration_goes_back_before_its_release_does() -> None:
    """The old release finds the database that it knows."""
    made = world()
    deploy(migrating("1", "0001"), made.doors, "token")
    made.clock.seconds += 60
    made.engine.pending = PENDING
    made.engine.commands.clear()
    made.engine.sick.add("sha256:config-web-2")
    with pytest.raises(DeployError, match="is serving again"):
        deploy(migrating("2", "0001", "0002", down=True), made.doors, "token")
    said = verbs(made)
    back = said.index("exec db load")
    assert said[back - 1] == "stop web"
    assert all(one.startswith("up ") for one in said[back + 1 :])


def test_nothing_is_stopped_or_put_back_that_was_not_kept() -> None:
    """A deploy that fails before the dump leaves what uses the database alone."""
    made = world()
    deploy(migrating("1", "0001"), made.doors, "token")
    made.clock.seconds += 60
    made.engine.commands.clear()
    made.engine.pending = [1]  # type: ignore[list-item]
    with pytest.raises(DeployError, match="not the JSON it should be"):
        deploy(migrating("2", "0001", "0002", down=True), made.doors, "token")
    assert not [one for one in verbs(made) if one.startswith(("stop", "exec"))]


def test_another_migration_stops_nothing() -> None:
    """The code before goes on, and the database keeps its new shape when its release goes."""
    made = deployed()
    made.engine.pending = PENDING
    made.engine.sick.add("sha256:config-web-3")
    with pytest.raises(DeployError):
        deploy(migrating("3", "0001", "0002", "0003"), made.doors, "token")
    said = verbs(made)
    assert "exec db save" in said
    assert not [one for one in said if one.startswith("stop") or one == "exec db load"]


def test_the_record_says_how_the_database_is_put_back() -> None:
    """A release on a host is gone back to without a checkout."""
    made = deployed()
    live, _ = history(made)
    assert live.database.users == ("web",)
    assert live.database.restore.command == ("load",)
    again = Release.from_json(as_json(live.to_json()), "there")
    assert again.database == live.database
    old = {name: value for name, value in live.to_json().items() if name != "database"}
    assert Release.from_json(as_json(old), "there").database.restore.service == ""
